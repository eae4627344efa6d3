//! The configuration file, which lists the accepted findings of schema health.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::Error;
use crate::schema_health::AcceptedFindings;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    accepted: Vec<AcceptedFinding>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptedFinding {
    finding: String,
    reason: String,
}

/// Reads the accepted findings from the configuration file.
///
/// # Errors
/// [`Error::BadInput`] if the file cannot be read or parsed, or a finding is accepted without a reason or twice.
pub(super) fn read(path: &Path) -> Result<AcceptedFindings, Error> {
    let option = format!("--config (SESSION_ADMIN_CONFIG) {}", path.display());
    let text =
        std::fs::read_to_string(path).map_err(|error| Error::BadInput(format!("{option} cannot be read: {error}.")))?;
    parse(&text).map_err(|problem| Error::BadInput(format!("{option}: {problem}")))
}

fn parse(text: &str) -> Result<AcceptedFindings, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut accepted = BTreeMap::new();
    for AcceptedFinding { finding, reason } in file.accepted {
        if reason.trim().is_empty() {
            return Err(format!("the finding {finding} is accepted without a reason; add a reason."));
        }
        if accepted.insert(finding.clone(), reason).is_some() {
            return Err(format!("the finding {finding} is accepted twice."));
        }
    }
    Ok(AcceptedFindings(accepted))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_accepted_finding_has_a_reason_and_nothing_else() {
        let accepted = parse("[[accepted]]\nfinding = \"A:b\"\nreason = \"known\"\n").unwrap();
        assert_eq!(accepted.0.get("A:b").map(String::as_str), Some("known"));
        for text in [
            "[[accepted]]\nfinding = \"A:b\"\n",
            "[[accepted]]\nfinding = \"A:b\"\nreason = \" \"\n",
            "[[accepted]]\nfinding = \"A:b\"\nreason = \"x\"\nuntil = 1\n",
            "[[acepted]]\nfinding = \"A:b\"\nreason = \"x\"\n",
            "[[accepted]]\nfinding = \"A\"\nreason = \"x\"\n[[accepted]]\nfinding = \"A\"\nreason = \"y\"\n",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
