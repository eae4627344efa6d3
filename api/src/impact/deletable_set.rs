//! Which sessions can be deleted together, where some of them block one another.

use std::collections::HashMap;

use uuid::Uuid;

use super::analysis::SchemaSnapshot;
use super::model::Blocker;
use super::sql::shape::QueryShape;
use crate::db::{Database, distinct};
use crate::error::Error;

/// Sessions, divided by whether they can be deleted together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeletableSet {
    /// The sessions that can be deleted in one deletion, in the order given.
    pub deletable: Vec<Uuid>,
    /// The sessions that cannot, even with these, each with its blockers.
    pub blocked: HashMap<Uuid, Vec<Blocker>>,
}

/// Returns the largest set of these sessions that can be deleted in one deletion.
///
/// A session is blocked by rows that would stay. The owner of such rows stays too if it is blocked, and so others may
/// be blocked by that. Each round is one statement. A session that does not exist is in neither list.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn largest_deletable_set(db: &Database, session_ids: &[Uuid]) -> Result<DeletableSet, Error> {
    let transaction = db.snapshot().await?;
    let schema = SchemaSnapshot::load(&transaction, db).await?;
    let mut set = DeletableSet { deletable: distinct(session_ids), blocked: HashMap::new() };
    while !set.deletable.is_empty() {
        let impacts = schema.impact_of_each(&transaction, &set.deletable, QueryShape::PerSessionInSet).await?;
        let before = set.deletable.len();
        set.deletable.retain(|id| impacts.get(id).is_some_and(|impact| impact.deletable));
        if set.deletable.len() == before {
            break;
        }
        let blocked = impacts.into_iter().filter(|(_, impact)| !impact.deletable);
        set.blocked.extend(blocked.map(|(id, impact)| (id, impact.blockers)));
    }
    transaction.commit().await?;
    Ok(set)
}

/// Returns a small set of these sessions that can be deleted in one deletion, in no particular order. The set is empty
/// if there is none.
///
/// The search omits sessions at both ends of the list. A session that is refused for another reason therefore holds
/// up only a few others.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn smallest_deletable_set(db: &Database, session_ids: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let mut found = shortest_prefix_set(db, session_ids).await?;
    loop {
        // The last session is in every deletable set among these. Which of the first ones does that one need?
        let reversed: Vec<Uuid> = found.iter().rev().copied().collect();
        let smaller = shortest_prefix_set(db, &reversed).await?;
        if smaller.is_empty() || smaller.len() == found.len() {
            return Ok(found);
        }
        found = smaller;
    }
}

/// Returns what can be deleted of the shortest prefix of the list of which anything can.
async fn shortest_prefix_set(db: &Database, session_ids: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let of_prefix =
        async |count: usize| Ok::<_, Error>(largest_deletable_set(db, &session_ids[..count]).await?.deletable);
    let (mut too_few, mut enough) = (0, session_ids.len().min(1));
    let mut found = of_prefix(enough).await?;
    while found.is_empty() && enough < session_ids.len() {
        (too_few, enough) = (enough, (enough * 2).min(session_ids.len()));
        found = of_prefix(enough).await?;
    }
    while !found.is_empty() && enough - too_few > 1 {
        let middle = usize::midpoint(too_few, enough);
        let smaller = of_prefix(middle).await?;
        if smaller.is_empty() {
            too_few = middle;
        } else {
            (enough, found) = (middle, smaller);
        }
    }
    Ok(found)
}
