//! The settings that migrations read and the error that they report.

use std::sync::{Mutex, PoisonError};

use sea_orm::DbErr;

use crate::error::Error;

/// The part of a migration session that its migrations share.
pub(crate) struct Context {
    /// The PostgreSQL schema of the business tables. SQLite has no schemas and ignores it.
    pub(crate) schema: String,
    error: Mutex<Option<Error>>,
}

impl Context {
    pub(crate) fn new(schema: &str) -> Self {
        Self { schema: schema.to_owned(), error: Mutex::new(None) }
    }

    /// Stores the error for [`take_error`](Self::take_error) and returns it as sea-orm's type.
    ///
    /// sea-orm returns only its own error type from a migration, which holds text.
    pub(crate) fn record_error(&self, error: Error) -> DbErr {
        let text = error.to_string();
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        DbErr::Migration(text)
    }

    /// Returns the error that the last migration stored, if it failed with one.
    pub(crate) fn take_error(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
