//! The gateway's words, and what each means.

use std::collections::HashMap;

use super::GatewaySessionState;

use GatewaySessionState::{Connected, Connecting, Disconnected, NotFound, QrPending, Unknown};

/// The words of WAHA, of Evolution API, and those that the database uses.
const KNOWN: [(&str, GatewaySessionState); 12] = [
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

/// What a gateway's own word may be said to mean.
const MEANINGS: [GatewaySessionState; 6] = [Connected, Connecting, QrPending, Disconnected, NotFound, Unknown];

/// A table from the gateway's words, in any case, to what they mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(HashMap<String, GatewaySessionState>);

impl Default for Words {
    fn default() -> Self {
        Self(KNOWN.into_iter().map(|(word, state)| (word.to_owned(), state)).collect())
    }
}

impl Words {
    /// The words that are known anyway, and those of `entries`, such as `WORKING=CONNECTED`, which come first.
    ///
    /// # Errors
    /// What is wrong with an entry, and what is taken.
    pub fn with(entries: &[String]) -> Result<Self, String> {
        let mut named: HashMap<String, GatewaySessionState> = HashMap::new();
        for entry in entries {
            let (word, state) = read(entry)?;
            if named.insert(word.clone(), state).is_some_and(|before| before != state) {
                return Err(format!("says two things of {word}; name each word once."));
            }
        }
        let mut words = Self::default();
        words.0.extend(named);
        Ok(words)
    }

    pub(super) fn meaning(&self, word: &str) -> Option<GatewaySessionState> {
        self.0.get(&word.to_lowercase()).copied()
    }
}

fn read(entry: &str) -> Result<(String, GatewaySessionState), String> {
    let read = entry.rsplit_once('=').and_then(|(word, meaning)| {
        let meaning = meaning.trim().to_ascii_uppercase();
        let state = MEANINGS.into_iter().find(|state| state.word() == meaning)?;
        let word = word.trim().to_lowercase();
        (!word.is_empty()).then_some((word, state))
    });
    read.ok_or_else(|| {
        let meanings = MEANINGS.map(GatewaySessionState::word).join(", ");
        format!("has {entry:?}; it takes WORD=STATE, such as WORKING=CONNECTED, with one of the states {meanings}.")
    })
}
