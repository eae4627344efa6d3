//! Authentication and authorization: access tokens, JWTs, principals and roles.

pub mod access_token;
mod auth_error;
mod authenticator;
mod jwt;
mod principal;
mod role;

pub use auth_error::AuthError;
pub use authenticator::Authenticator;
pub use jwt::{JwtSettings, JwtVerifier, RoleNames};
pub use principal::Principal;
pub use role::Role;
