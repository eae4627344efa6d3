//! The validation of arguments that many fields accept: texts and ids.

use async_graphql::ID;
use uuid::Uuid;

use crate::error::Error;

/// The maximum length, in characters, of a text to search for or to compare with.
const MAX_TEXT: usize = 200;
/// The maximum number of ids in one argument.
const MAX_IDS: usize = 1_000;

/// Validates and returns a text to search for or to compare with.
///
/// # Errors
/// Returns [`Error::BadInput`] if the text is too long or contains a NUL.
pub(super) fn check_text(argument: &str, text: String) -> Result<String, Error> {
    if text.chars().count() > MAX_TEXT || text.contains('\0') {
        return Err(Error::BadInput(format!("{argument} must have at most {MAX_TEXT} characters, none of them NUL.")));
    }
    Ok(text)
}

/// Parses an id, which is the UUID of a row.
///
/// # Errors
/// Returns [`Error::BadInput`] if the id is not a UUID.
pub(super) fn parse_id(id: &ID) -> Result<Uuid, Error> {
    parse_uuid(id).ok_or_else(|| malformed_ids(std::slice::from_ref(&id)))
}

/// Parses an argument's list of ids.
///
/// # Errors
/// Returns [`Error::BadInput`] if there are too many ids, or if some are malformed; the message then lists all of
/// these.
pub(super) fn parse_ids(argument: &str, ids: &[ID]) -> Result<Vec<Uuid>, Error> {
    if ids.len() > MAX_IDS {
        return Err(Error::BadInput(format!("{argument} has {} ids; at most {MAX_IDS} are accepted.", ids.len())));
    }
    let malformed: Vec<&ID> = ids.iter().filter(|id| parse_uuid(id).is_none()).collect();
    if malformed.is_empty() { Ok(ids.iter().filter_map(parse_uuid).collect()) } else { Err(malformed_ids(&malformed)) }
}

/// Parses a UUID in its hyphenated form. Other forms are rejected because the database never returns ids in them.
fn parse_uuid(id: &ID) -> Option<Uuid> {
    if id.len() == 36 { Uuid::try_parse(id).ok() } else { None }
}

fn malformed_ids(ids: &[&ID]) -> Error {
    let named: Vec<String> = ids.iter().map(|id| format!("{:?}", id.as_str())).collect();
    let (prefix, verb) = if ids.len() == 1 { ("", "is not an id") } else { ("These ", "are not ids") };
    Error::BadInput(format!(
        "{prefix}{} {verb}: ids are UUIDs, such as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff.",
        named.join(", ")
    ))
}
