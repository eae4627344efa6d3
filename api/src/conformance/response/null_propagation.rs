//! Fields that failed. The library leaves such a field out of its object; by GraphQL's rules it is null, and where it must
//! not be null the object is, or the list that it is in, or what these stand in, as far up as need be.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{BaseType, OperationType, Type};
use async_graphql::{Name, PathSegment, Response, Value};

use super::selection_tree::Asked;

/// Makes null what failed of an answer, and keeps one error for each position.
pub(crate) fn make_null(response: &mut Response, kind: OperationType, asked: &Asked<'_>) {
    let mut failed = Failed::default();
    // Only what happened in an execution has a path.
    response.errors.retain(|error| error.path.is_empty() || failed.add(&error.path));
    if failed.fields.is_empty() {
        return;
    }
    let root = match kind {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    };
    if !settle_fields(&mut response.data, root, asked, &failed) {
        response.data = Value::Null;
    }
}

/// The positions of an answer that failed, as a tree.
#[derive(Debug, Default)]
struct Failed {
    /// This one did.
    itself: bool,
    /// Those within an object.
    fields: HashMap<String, Failed>,
    /// Those within a list.
    items: HashMap<usize, Failed>,
}

impl Failed {
    /// Adds a position; false where it was there already.
    fn add(&mut self, path: &[PathSegment]) -> bool {
        let place = path.iter().fold(self, |failed, segment| match segment {
            PathSegment::Field(name) => failed.fields.entry(name.clone()).or_default(),
            PathSegment::Index(index) => failed.items.entry(*index).or_default(),
        });
        !std::mem::replace(&mut place.itself, true)
    }
}

/// Makes null what failed of a value. Whether what it stands in may stay.
fn settle(value: &mut Value, kind: &Type, asked: &Asked<'_>, failed: &Failed) -> bool {
    let stays = !failed.itself
        && match &kind.base {
            BaseType::List(kind) => settle_items(value, kind, asked, failed),
            BaseType::Named(of) => settle_fields(value, of, asked, failed),
        };
    if !stays {
        *value = Value::Null;
    }
    stays || kind.nullable
}

fn settle_items(value: &mut Value, kind: &Type, asked: &Asked<'_>, failed: &Failed) -> bool {
    let Value::List(items) = value else { return false };
    failed.items.iter().all(|(place, failed)| match items.get_mut(*place) {
        Some(item) => settle(item, kind, asked, failed),
        None => false,
    })
}

fn settle_fields(value: &mut Value, of: &str, asked: &Asked<'_>, failed: &Failed) -> bool {
    if *value == Value::Null {
        // The library's way with an object of which every field failed.
        *value = Value::Object(IndexMap::new());
    }
    let Value::Object(fields) = value else { return false };
    failed.fields.iter().all(|(name, failed)| {
        let Some(asked) = asked.fields.get(name.as_str()) else { return false };
        let Some(kind) = asked.kind(of) else { return false };
        settle(fields.entry(Name::new(name)).or_default(), kind, asked, failed)
    })
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::{DocumentOperations, Type};
    use async_graphql::{PathSegment, Value};
    use serde_json::json;

    use super::{Asked, Failed, settle};

    /// What becomes of a list of this type, in whose second item a name failed.
    fn list(of: &str) -> serde_json::Value {
        let document = parse_query("{ id name }").unwrap();
        let DocumentOperations::Single(operation) = document.operations else { unreachable!() };
        let mut failed = Failed::default();
        let item = |index| if of.starts_with("[[") { vec![PathSegment::Index(0), index] } else { vec![index] };
        let mut path = item(PathSegment::Index(1));
        path.push(PathSegment::Field("name".to_owned()));
        assert!(failed.add(&path) && !failed.add(&path));
        let items = json!([{ "id": "a", "name": "b" }, { "id": "c" }]);
        let mut value = Value::from_json(if of.starts_with("[[") { json!([items, []]) } else { items }).unwrap();
        let asked = Asked::of(&[&operation.node.selection_set.node], &document.fragments);
        let stays = settle(&mut value, &Type::new(of).unwrap(), &asked, &failed);
        json!([stays, value])
    }

    /// The schema has lists of the second kind only.
    #[test]
    fn an_item_is_null_or_its_list_or_what_holds_that() {
        let first = json!({ "id": "a", "name": "b" });
        assert_eq!(list("[Session]!"), json!([true, [first, null]]));
        assert_eq!(list("[Session!]!"), json!([false, null]));
        assert_eq!(list("[Session!]"), json!([true, null]));
        assert_eq!(list("[[Session!]]!"), json!([true, [null, []]]));
        assert_eq!(list("[[Session!]!]!"), json!([false, null]));
        assert_eq!(list("[[Session]!]!"), json!([true, [[first, null], []]]));
    }
}
