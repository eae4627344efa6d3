//! Ids: the rows' own UUIDs.

use async_graphql::ID;
use uuid::Uuid;

use crate::error::Error;

/// Only the usual form of a UUID is an id; the others that could be read are not what the database shows.
fn read(id: &ID) -> Option<Uuid> {
    if id.len() == 36 { Uuid::try_parse(id).ok() } else { None }
}

/// Reads one id.
pub(super) fn parse(id: &ID) -> Result<Uuid, Error> {
    read(id).ok_or_else(|| malformed(std::slice::from_ref(&id)))
}

/// Reads a list of ids; the error names every one that is malformed.
fn parse_all(ids: &[ID]) -> Result<Vec<Uuid>, Error> {
    let wrong: Vec<&ID> = ids.iter().filter(|id| read(id).is_none()).collect();
    if wrong.is_empty() { Ok(ids.iter().filter_map(read).collect()) } else { Err(malformed(&wrong)) }
}

/// The most ids in one argument.
const MAX_IDS: usize = 1_000;

/// Reads an argument's list of ids.
pub(super) fn parse_list(argument: &str, ids: &[ID]) -> Result<Vec<Uuid>, Error> {
    if ids.len() > MAX_IDS {
        return Err(Error::BadInput(format!("{argument} has {} ids; at most {MAX_IDS} are taken.", ids.len())));
    }
    parse_all(ids)
}

fn malformed(ids: &[&ID]) -> Error {
    let named: Vec<String> = ids.iter().map(|id| format!("{:?}", id.as_str())).collect();
    let (what, verb) = if ids.len() == 1 { ("", "is no id") } else { ("These ", "are no ids") };
    Error::BadInput(format!(
        "{what}{} {verb}: ids are UUIDs, such as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff.",
        named.join(", ")
    ))
}
