//! Pages and the requests for them.

use super::cursor::Cursor;
use crate::error::Error;

/// A request for a page: the first rows of a list, or the last, between two cursors.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// The most rows.
    pub size: u32,
    /// Returns the last rows instead of the first.
    pub last: bool,
    /// Returns only rows after this one.
    pub after: Option<Cursor>,
    /// Returns only rows before this one.
    pub before: Option<Cursor>,
    /// The parts of the rows that are not read.
    pub unasked: Projection,
}

/// The parts of a list's rows that the caller does not need. Reading each value takes time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Projection {
    /// The cursors.
    pub cursors: bool,
    /// Columns, by the names of the entity; they are null.
    pub columns: Vec<&'static str>,
}

impl Projection {
    /// Returns what neither of two requests needs.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.columns.retain(|column| other.columns.contains(column));
        Self { cursors: self.cursors && other.cursors, columns: self.columns }
    }
}

impl PageRequest {
    /// Returns a request for the first `size` rows of a list.
    #[must_use]
    pub fn first(size: u32) -> Self {
        Self { size, last: false, after: None, before: None, unasked: Projection::default() }
    }
}

/// A page of a list, in the list's order.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows, each with its cursor if requested.
    pub rows: Vec<(Option<Cursor>, T)>,
    /// Whether the list has rows after the last of these.
    pub has_next: bool,
    /// Whether the list has rows before the first of these.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// Returns a page of an empty list.
    #[must_use]
    pub const fn empty() -> Self {
        Self { rows: Vec::new(), has_next: false, has_previous: false }
    }

    /// Converts each row.
    ///
    /// # Errors
    /// The first error of `convert`.
    pub fn map<U>(self, convert: impl Fn(T) -> Result<U, Error>) -> Result<Page<U>, Error> {
        let rows = self.rows.into_iter().map(|(position, row)| Ok((position, convert(row)?)));
        Ok(Page { rows: rows.collect::<Result<_, Error>>()?, has_next: self.has_next, has_previous: self.has_previous })
    }
}
