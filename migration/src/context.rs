//! The data that the migrations of one session share.

use std::sync::{Mutex, PoisonError};

use sea_orm::DbErr;

use crate::error::Error;

/// The data that the migrations of one session share: the schema of the business tables and the error to report.
pub(crate) struct Context {
    /// The PostgreSQL schema of the business tables. Unused on SQLite.
    pub(crate) schema: String,
    error: Mutex<Option<Error>>,
}

impl Context {
    pub(crate) fn new(schema: &str) -> Self {
        Self { schema: schema.to_owned(), error: Mutex::new(None) }
    }

    /// Stores an error for [`take_error`](Self::take_error) and converts it to sea-orm's error type.
    ///
    /// A migration must return sea-orm's type, which contains only the text.
    pub(crate) fn record_error(&self, error: Error) -> DbErr {
        let text = error.to_string();
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        DbErr::Migration(text)
    }

    /// Removes and returns the stored error.
    pub(crate) fn take_error(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
