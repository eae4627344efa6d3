//! The principal of a request.

use async_graphql::{Enum, SimpleObject};

use crate::auth;

/// Who is asking, and what the token allows.
#[derive(Debug, SimpleObject)]
pub struct Viewer {
    /// The name under which what is done is recorded.
    pub name: String,
    /// What may be done.
    pub role: Role,
}

/// What a token allows; each role may do what those before it may.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "auth::Role")]
pub enum Role {
    /// Read and preview.
    Viewer,
    /// Delete, restore and clean up; dry runs too, since they lock rows and fire triggers.
    Operator,
    /// Erase archives before they expire.
    Admin,
}
