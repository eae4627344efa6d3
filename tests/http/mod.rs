//! The server's edge: who is let in, in what shape, and what comes back.

pub mod app;

mod get;
mod guard;
mod health;
mod metrics;
mod origins;
mod page;
mod post;
mod serve;
pub mod socket;
