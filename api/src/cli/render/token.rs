//! Access tokens.

use chrono::{DateTime, Utc};

use super::{table, timestamp};
use crate::auth::access_token::{COARSE, Token, TokenStatus};

/// The tokens, line by line.
pub(in crate::cli) fn tokens(tokens: &[Token]) -> String {
    if tokens.is_empty() {
        return "No token has been made: unless it takes JWTs, the server listens on loopback addresses only, and whoever reaches \
                it may do everything. `session-admin token create` makes one."
            .to_owned();
    }
    let mut table = table(&["Name", "Role", "Status", "Made at", "Expires at", "Last used", "Id"], &[]);
    for token in tokens {
        table.add_row([
            token.name.clone(),
            token.role.to_string(),
            status(token),
            timestamp(token.created_at),
            token.expires_at.map_or_else(|| "never".to_owned(), timestamp),
            token.last_used_at.map_or_else(|| "never".to_owned(), last_use),
            token.id.to_string(),
        ]);
    }
    table.to_string()
}

/// A use is written down, and for the next hour no other: the last one was somewhere in that hour.
fn last_use(at: DateTime<Utc>) -> String {
    format!("{}–{}", at.format("%Y-%m-%d %H:%M"), (at + COARSE).format("%H:%M UTC"))
}

fn status(token: &Token) -> String {
    match token.status {
        TokenStatus::Active => "active".to_owned(),
        TokenStatus::Expired => "expired".to_owned(),
        TokenStatus::Revoked => token.revoked_at.map_or_else(String::new, |at| format!("revoked at {}", timestamp(at))),
    }
}

/// What somebody is told beside a new token.
pub(in crate::cli) fn token_made(token: &Token) -> String {
    let end =
        token.expires_at.map_or_else(|| "does not expire".to_owned(), |at| format!("expires at {}", timestamp(at)));
    format!(
        "The token {} ({}) {end}. It is shown this once: only its hash is kept. Send it as `Authorization: Bearer TOKEN`. \
         Every request to a server on this database needs a token from now on.",
        token.name, token.role
    )
}
