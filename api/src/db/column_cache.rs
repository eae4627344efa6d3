//! Recently read columns of tables.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::table_columns::TableColumns;

/// How long cached columns are used. A list may miss a column that was added within this time, or fail on one that was
/// dropped.
const TIME_TO_LIVE: Duration = Duration::from_secs(2);

/// Columns by table, each with the time at which they were read. Clones share the entries.
#[derive(Debug, Clone, Default)]
pub(super) struct ColumnCache(Arc<Mutex<Entries>>);

type Entries = HashMap<String, (Instant, Arc<TableColumns>)>;

impl ColumnCache {
    /// Returns the columns of a table if they were read within the last two seconds.
    pub fn get(&self, table: &str) -> Option<Arc<TableColumns>> {
        let entries = self.entries();
        let (read_at, columns) = entries.get(table)?;
        (read_at.elapsed() < TIME_TO_LIVE).then(|| Arc::clone(columns))
    }

    /// Stores the columns of a table that have just been read.
    pub fn insert(&self, table: &str, columns: Arc<TableColumns>) {
        self.entries().insert(table.to_owned(), (Instant::now(), columns));
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
