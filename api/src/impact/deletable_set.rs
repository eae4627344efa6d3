//! Sessions that stand in one another's way: which of them can go together.

use std::collections::HashMap;

use uuid::Uuid;

use super::analysis::Reading;
use super::model::Blocker;
use super::sql::shape::Shape;
use crate::db::{Database, distinct};
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

/// Sessions among these that can be deleted in one deletion, as few as can be found by leaving out those at either end,
/// so that one that is refused for another reason takes hardly any along; in no particular order. Empty where none can.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn fewest_together(db: &Database, session_ids: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let mut found = first_together(db, session_ids).await?;
    loop {
        // All that can go among these has the last of them in it. Which of the first are needed for that one?
        let from_behind: Vec<Uuid> = found.iter().rev().copied().collect();
        let fewer = first_together(db, &from_behind).await?;
        if fewer.is_empty() || fewer.len() == found.len() {
            return Ok(found);
        }
        found = fewer;
    }
}

/// What can go of the shortest beginning of the list of which anything can.
async fn first_together(db: &Database, session_ids: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let among = async |count: usize| Ok::<_, Error>(deletable_together(db, &session_ids[..count]).await?.deletable);
    let (mut too_few, mut enough) = (0, session_ids.len().min(1));
    let mut found = among(enough).await?;
    while found.is_empty() && enough < session_ids.len() {
        (too_few, enough) = (enough, (enough * 2).min(session_ids.len()));
        found = among(enough).await?;
    }
    while !found.is_empty() && enough - too_few > 1 {
        let middle = usize::midpoint(too_few, enough);
        let fewer = among(middle).await?;
        if fewer.is_empty() {
            too_few = middle;
        } else {
            (enough, found) = (middle, fewer);
        }
    }
    Ok(found)
}
