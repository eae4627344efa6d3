//! Arguments that many fields take: texts and ids.

use async_graphql::ID;
use uuid::Uuid;

use crate::error::Error;

/// The longest text to search for or to compare with, in characters.
const MAX_TEXT: usize = 200;
/// The most ids in one argument.
const MAX_IDS: usize = 1_000;

/// Passes a text to search for or to compare with.
///
/// # Errors
/// [`Error::BadInput`] where it is too long or has a NUL.
pub(super) fn check_text(argument: &str, text: String) -> Result<String, Error> {
    if text.chars().count() > MAX_TEXT || text.contains('\0') {
        return Err(Error::BadInput(format!("{argument} must have at most {MAX_TEXT} characters, none of them NUL.")));
    }
    Ok(text)
}

/// Parses an id, which is the UUID of a row.
///
/// # Errors
/// [`Error::BadInput`] where it is none.
pub(super) fn parse_id(id: &ID) -> Result<Uuid, Error> {
    parse_uuid(id).ok_or_else(|| malformed_ids(std::slice::from_ref(&id)))
}

/// Parses an argument's list of ids.
///
/// # Errors
/// [`Error::BadInput`] where there are too many, or where some are malformed, with all of these.
pub(super) fn parse_ids(argument: &str, ids: &[ID]) -> Result<Vec<Uuid>, Error> {
    if ids.len() > MAX_IDS {
        return Err(Error::BadInput(format!("{argument} has {} ids; at most {MAX_IDS} are taken.", ids.len())));
    }
    let malformed: Vec<&ID> = ids.iter().filter(|id| parse_uuid(id).is_none()).collect();
    if malformed.is_empty() { Ok(ids.iter().filter_map(parse_uuid).collect()) } else { Err(malformed_ids(&malformed)) }
}

/// Parses the usual form of a UUID. There are others, but the database does not show ids in them.
fn parse_uuid(id: &ID) -> Option<Uuid> {
    if id.len() == 36 { Uuid::try_parse(id).ok() } else { None }
}

fn malformed_ids(ids: &[&ID]) -> Error {
    let named: Vec<String> = ids.iter().map(|id| format!("{:?}", id.as_str())).collect();
    let (what, verb) = if ids.len() == 1 { ("", "is no id") } else { ("These ", "are no ids") };
    Error::BadInput(format!(
        "{what}{} {verb}: ids are UUIDs, such as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff.",
        named.join(", ")
    ))
}
