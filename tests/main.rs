//! Tests of behaviour, in one binary so that only one is linked. Folders mirror the parts of the program.

#![allow(missing_docs, reason = "a test's name is its sentence")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

mod architecture;
mod auth;
mod catalog;
mod cleanup;
mod cli;
mod clients;
mod conformance;
mod dashboard;
mod db;
mod deletion;
mod deploy;
mod gateway;
mod graphql;
mod http;
mod impact;
mod migration;
mod public_strings;
mod reference;
mod restore;
mod schema_health;
mod story;
