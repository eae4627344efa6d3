//! The texts about access tokens.

use chrono::{DateTime, Utc};

use super::{format_timestamp, new_table};
use crate::auth::access_token::{COARSE, Token, TokenStatus};

/// Returns a table of access tokens.
pub(in crate::cli) fn token_list(tokens: &[Token]) -> String {
    if tokens.is_empty() {
        return "There are no tokens. Unless the server accepts JWTs, it listens on loopback addresses only, and every \
                client may do everything. `session-admin token create` creates a token."
            .to_owned();
    }
    let mut table = new_table(&["Name", "Role", "Status", "Created at", "Expires at", "Last used", "Id"], &[]);
    for token in tokens {
        table.add_row([
            token.name.clone(),
            token.role.to_string(),
            status_label(token),
            format_timestamp(token.created_at),
            token.expires_at.map_or_else(|| "never".to_owned(), format_timestamp),
            token.last_used_at.map_or_else(|| "never".to_owned(), format_last_use),
            token.id.to_string(),
        ]);
    }
    table.to_string()
}

/// Formats the hour in which a token was last used. After a recorded use, no other use is recorded for an hour.
fn format_last_use(at: DateTime<Utc>) -> String {
    format!("{}–{}", at.format("%Y-%m-%d %H:%M"), (at + COARSE).format("%H:%M UTC"))
}

fn status_label(token: &Token) -> String {
    match token.status {
        TokenStatus::Active => "active".to_owned(),
        TokenStatus::Expired => "expired".to_owned(),
        TokenStatus::Revoked => {
            token.revoked_at.map_or_else(String::new, |at| format!("revoked at {}", format_timestamp(at)))
        }
    }
}

/// Returns the text that is printed with a new token.
pub(in crate::cli) fn created_token(token: &Token) -> String {
    let expiry = token
        .expires_at
        .map_or_else(|| "does not expire".to_owned(), |at| format!("expires at {}", format_timestamp(at)));
    format!(
        "The token {} ({}) {expiry}. It is not shown again: the database contains only its hash. Send it as \
         `Authorization: Bearer TOKEN`. Every request to a server on this database needs a token from now on.",
        token.name, token.role
    )
}
