//! The gateway's status words and their meanings.

use std::collections::HashMap;

use super::model::GatewaySessionState;

use GatewaySessionState::{Connected, Connecting, Disconnected, NotFound, QrPending, Unknown};

/// The words of WAHA, of Evolution API and of the database.
const KNOWN_WORDS: [(&str, GatewaySessionState); 12] = [
    ("working", Connected),
    ("starting", Connecting),
    ("scan_qr_code", QrPending),
    ("stopped", Disconnected),
    ("failed", Disconnected),
    ("open", Connected),
    ("connecting", Connecting),
    ("close", Disconnected),
    ("refused", Disconnected),
    ("connected", Connected),
    ("qr_pending", QrPending),
    ("disconnected", Disconnected),
];

/// The states that a configured word can mean.
const MEANINGS: [GatewaySessionState; 6] = [Connected, Connecting, QrPending, Disconnected, NotFound, Unknown];

/// The gateway's status words, ignoring case, and the states that they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusWords(HashMap<String, GatewaySessionState>);

impl Default for StatusWords {
    fn default() -> Self {
        Self(KNOWN_WORDS.into_iter().map(|(word, state)| (word.to_owned(), state)).collect())
    }
}

impl StatusWords {
    /// Returns the known words and those of `entries`, such as `WORKING=CONNECTED`, which take precedence.
    ///
    /// # Errors
    /// A description of the invalid entry and of the expected format.
    pub fn with_entries(entries: &[String]) -> Result<Self, String> {
        let mut configured: HashMap<String, GatewaySessionState> = HashMap::new();
        for entry in entries {
            let (word, state) = parse_entry(entry)?;
            if configured.insert(word.clone(), state).is_some_and(|before| before != state) {
                return Err(format!("gives {word} two meanings; give each word only once."));
            }
        }
        let mut words = Self::default();
        words.0.extend(configured);
        Ok(words)
    }

    /// Returns the state that a word means; none for an unknown word.
    pub(super) fn meaning(&self, word: &str) -> Option<GatewaySessionState> {
        self.0.get(&word.to_lowercase()).copied()
    }
}

fn parse_entry(entry: &str) -> Result<(String, GatewaySessionState), String> {
    let parsed = entry.rsplit_once('=').and_then(|(word, meaning)| {
        let meaning = meaning.trim().to_ascii_uppercase();
        let state = MEANINGS.into_iter().find(|state| state.as_str() == meaning)?;
        let word = word.trim().to_lowercase();
        (!word.is_empty()).then_some((word, state))
    });
    parsed.ok_or_else(|| {
        let meanings = MEANINGS.map(GatewaySessionState::as_str).join(", ");
        format!("has {entry:?}; write WORD=STATE, such as WORKING=CONNECTED, with one of the states {meanings}.")
    })
}
