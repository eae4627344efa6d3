//! Who asks, and what they may do: access tokens, JWTs and roles.

pub mod access_token;
mod authenticator;
mod jwt;
mod principal;
mod role;

pub use authenticator::{Access, Denied};
pub use jwt::{Jwt, JwtSettings, RoleWords};
pub use principal::Principal;
pub use role::Role;
