//! Who asks, and what they may do: access tokens, JWTs and roles.

mod door;
mod jwt;
mod principal;
mod role;
mod signature;
pub mod token;

pub use door::{Access, Denied};
pub use jwt::{Jwt, JwtSettings, RoleWords};
pub use principal::Principal;
pub use role::Role;
