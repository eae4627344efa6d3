//! Sessions that stand in one another's way: which of them can go together.

use std::collections::HashMap;

use uuid::Uuid;

use super::Blocker;
use super::of::{Reading, distinct};
use super::shape::Shape;
use crate::db::Database;
use crate::error::Error;

/// Sessions, told apart by whether they can go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Together {
    /// Those that can go, all in one deletion, in the order given.
    pub deletable: Vec<Uuid>,
    /// Those that cannot, even with these, each with what stands in its way.
    pub blocked: HashMap<Uuid, Vec<Blocker>>,
}

/// The most of these sessions that can be deleted in one deletion. A session is blocked by rows that would stay; whoever
/// owns such rows and is blocked too stays, and so others may be blocked by that. One statement a round; a session that
/// does not exist is in neither list.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn deletable_together(db: &Database, session_ids: &[Uuid]) -> Result<Together, Error> {
    let snapshot = db.snapshot().await?;
    let reading = Reading::now(&snapshot, db).await?;
    let mut together = Together { deletable: distinct(session_ids), blocked: HashMap::new() };
    while !together.deletable.is_empty() {
        let impacts = reading.of_each(&snapshot, &together.deletable, Shape::Among).await?;
        let before = together.deletable.len();
        together.deletable.retain(|id| impacts.get(id).is_some_and(|impact| impact.deletable));
        if together.deletable.len() == before {
            break;
        }
        let blocked = impacts.into_iter().filter(|(_, impact)| !impact.deletable);
        together.blocked.extend(blocked.map(|(id, impact)| (id, impact.blockers)));
    }
    snapshot.commit().await?;
    Ok(together)
}
