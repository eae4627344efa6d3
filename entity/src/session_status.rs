//! A session's status, as far as it is known here.

/// What a session is doing. The database keeps the gateway's own word, and a gateway may add words later: those are
/// [`SessionStatus::Other`], never an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionStatus {
    /// A phone is paired and its connection is up.
    Connected,
    /// The connection is being made.
    Connecting,
    /// A QR code waits to be scanned.
    QrPending,
    /// The connection is down.
    Disconnected,
    /// A word that is not known here.
    Other,
}

impl SessionStatus {
    /// The statuses that have a word here.
    pub const KNOWN: [Self; 4] = [Self::Connected, Self::Connecting, Self::QrPending, Self::Disconnected];

    /// The statuses of stale sessions. A session is stale when it also has no phone number.
    pub const STALE: [Self; 3] = [Self::QrPending, Self::Connecting, Self::Disconnected];

    /// The status that a stored word means; words are compared exactly, as the database does.
    #[must_use]
    pub fn from_raw(raw: &str) -> Self {
        match raw {
            "connected" => Self::Connected,
            "connecting" => Self::Connecting,
            "qr_pending" => Self::QrPending,
            "disconnected" => Self::Disconnected,
            _ => Self::Other,
        }
    }

    /// The word that is stored; none for [`SessionStatus::Other`], which stands for many.
    #[must_use]
    pub const fn as_raw(self) -> Option<&'static str> {
        match self {
            Self::Connected => Some("connected"),
            Self::Connecting => Some("connecting"),
            Self::QrPending => Some("qr_pending"),
            Self::Disconnected => Some("disconnected"),
            Self::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SessionStatus;

    #[test]
    fn every_known_word_means_its_status_and_back() {
        for word in ["connected", "connecting", "qr_pending", "disconnected"] {
            assert_eq!(SessionStatus::from_raw(word).as_raw(), Some(word));
        }
    }

    #[test]
    fn unknown_words_are_other() {
        for word in ["", "CONNECTED", "banned"] {
            assert_eq!(SessionStatus::from_raw(word), SessionStatus::Other);
        }
        assert_eq!(SessionStatus::Other.as_raw(), None);
    }
}
