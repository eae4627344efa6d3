//! The connection status of a session.

/// The connection status of a session.
///
/// The database stores the gateway's status text. An unknown text is [`SessionStatus::Other`] and not an error, because
/// a gateway may add statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SessionStatus {
    /// A phone is paired, and the connection is up.
    Connected,
    /// The connection is being established.
    Connecting,
    /// A QR code is waiting to be scanned.
    QrPending,
    /// The connection is down.
    Disconnected,
    /// Any other status text.
    Other,
}

impl SessionStatus {
    /// The statuses with a stored text: all except [`SessionStatus::Other`].
    pub const KNOWN: [Self; 4] = [Self::Connected, Self::Connecting, Self::QrPending, Self::Disconnected];

    /// The statuses of stale sessions. A session is stale if it has one of them and no phone number.
    pub const STALE: [Self; 3] = [Self::QrPending, Self::Connecting, Self::Disconnected];

    /// Returns the status of a stored text. The comparison is case-sensitive, as in the database.
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

    /// Returns the stored text, or `None` for [`SessionStatus::Other`], which represents many texts.
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
