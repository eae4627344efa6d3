//! Checks that of sessions that block one another the largest deletable set is found: no larger subset can be deleted.

use api::db::Database;
use api::impact::{self, Impact};
use uuid::Uuid;

use super::case::{Case, Rule};

/// The largest number of sessions for which every subset is checked.
const FEW: usize = 4;

/// Compares the largest deletable set with every subset of the sessions. `impact` is the impact of all of them.
pub async fn check_largest_deletable_set(
    case: &Case,
    db: &Database,
    roots: &[Uuid],
    impact: &Impact,
) -> Result<(), String> {
    let found = impact::largest_deletable_set(db, roots).await.map_err(|error| format!("together: {error:?}"))?;
    if found.deletable.len() + found.blocked.len() != roots.len() {
        return Err(format!("some of {roots:?} are in neither list: {found:?}"));
    }
    if impact.deletable != found.blocked.is_empty() {
        return Err(format!("deletable {}, and together {found:?}", impact.deletable));
    }
    if impact.deletable || roots.len() > FEW {
        return Ok(());
    }
    if !is_deletable(db, &found.deletable).await? {
        return Err(format!("cannot go together: {found:?}"));
    }
    // A default may refer to a row of another session. Then deleting more sessions can add blockers.
    if case.keys.iter().any(|key| key.on_delete == Rule::SetDefault) {
        return Ok(());
    }
    for subset in 0..1_usize << roots.len() {
        let members = roots.iter().enumerate().filter(|(place, _)| subset & (1 << place) != 0);
        let members: Vec<Uuid> = members.map(|(_, root)| *root).collect();
        if members.iter().any(|member| !found.deletable.contains(member)) && is_deletable(db, &members).await? {
            return Err(format!("{members:?} can go, and together only {found:?}"));
        }
    }
    Ok(())
}

async fn is_deletable(db: &Database, sessions: &[Uuid]) -> Result<bool, String> {
    let impact = impact::impact_of(db, sessions).await.map_err(|error| format!("of_sessions: {error:?}"))?;
    Ok(impact.deletable)
}
