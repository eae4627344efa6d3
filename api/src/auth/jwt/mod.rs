//! JWTs that others issue, such as a Supabase project.

mod jwks;
mod role_names;
mod settings;
mod signature;
mod verifier;

pub use role_names::RoleNames;
pub use settings::JwtSettings;
pub use verifier::JwtVerifier;
