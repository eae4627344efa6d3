//! Fields that failed. async-graphql leaves such a field out of its object. By the specification the field is null, and where
//! it must not be null the object or list around it is, as far up as it takes.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{BaseType, OperationType, Type};
use async_graphql::{Name, PathSegment, Response, Value};

use super::selection_tree::SelectionTree;
use crate::conformance::schema_index::SchemaIndex;

/// Sets to null the fields of a response that failed, or what is around them, and leaves one error for each position.
pub(crate) fn propagate_nulls(
    response: &mut Response,
    operation: OperationType,
    tree: &SelectionTree<'_>,
    schema: &SchemaIndex,
) {
    let mut failures = FailureTree::default();
    // An error without a path is not of the execution.
    response.errors.retain(|error| error.path.is_empty() || failures.add(&error.path));
    if failures.fields.is_empty() {
        return;
    }
    let propagation = Propagation { schema };
    if !propagation.propagate_into_fields(&mut response.data, schema.root_type(operation), tree, &failures) {
        response.data = Value::Null;
    }
}

/// The positions of a response that failed.
#[derive(Debug, Default)]
struct FailureTree {
    /// Whether this position itself failed.
    is_failed: bool,
    /// Failures within an object.
    fields: HashMap<String, FailureTree>,
    /// Failures within a list.
    items: HashMap<usize, FailureTree>,
}

impl FailureTree {
    /// Adds a position, and returns whether it is new.
    fn add(&mut self, path: &[PathSegment]) -> bool {
        let position = path.iter().fold(self, |failures, segment| match segment {
            PathSegment::Field(name) => failures.fields.entry(name.clone()).or_default(),
            PathSegment::Index(index) => failures.items.entry(*index).or_default(),
        });
        !std::mem::replace(&mut position.is_failed, true)
    }
}

/// Sets failed positions to null. Each method returns whether the value, or what is around it, can stay.
struct Propagation<'a> {
    schema: &'a SchemaIndex,
}

impl Propagation<'_> {
    fn propagate(&self, value: &mut Value, of: &Type, tree: &SelectionTree<'_>, failures: &FailureTree) -> bool {
        let stays = !failures.is_failed
            && match &of.base {
                BaseType::List(of) => self.propagate_into_items(value, of, tree, failures),
                BaseType::Named(name) => self.propagate_into_fields(value, name, tree, failures),
            };
        if !stays {
            *value = Value::Null;
        }
        stays || of.nullable
    }

    fn propagate_into_items(
        &self,
        value: &mut Value,
        of: &Type,
        tree: &SelectionTree<'_>,
        failures: &FailureTree,
    ) -> bool {
        let Value::List(items) = value else { return false };
        failures.items.iter().all(|(index, failures)| match items.get_mut(*index) {
            Some(item) => self.propagate(item, of, tree, failures),
            None => false,
        })
    }

    fn propagate_into_fields(
        &self,
        value: &mut Value,
        type_name: &str,
        tree: &SelectionTree<'_>,
        failures: &FailureTree,
    ) -> bool {
        if *value == Value::Null {
            // async-graphql does so with an object of which every field failed.
            *value = Value::Object(IndexMap::new());
        }
        let Value::Object(fields) = value else { return false };
        failures.fields.iter().all(|(name, failures)| {
            let Some(tree) = tree.fields.get(name.as_str()) else { return false };
            let Some(of) = tree.field_type(type_name, self.schema) else { return false };
            self.propagate(fields.entry(Name::new(name)).or_default(), of, tree, failures)
        })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::{DocumentOperations, Type};
    use async_graphql::{PathSegment, Value};
    use serde_json::json;

    use super::{FailureTree, Propagation, SelectionTree};
    use crate::conformance::schema_index::SchemaIndex;

    /// Returns what becomes of a list of this type, in whose second item a name failed.
    fn list(of: &str) -> serde_json::Value {
        let schema = SchemaIndex::from_sdl("type Query { books: [Book] } type Book { id: ID! name: String! }");
        let document = parse_query("{ id name }").unwrap();
        let DocumentOperations::Single(operation) = document.operations else { unreachable!() };
        let mut failures = FailureTree::default();
        let item = |index| if of.starts_with("[[") { vec![PathSegment::Index(0), index] } else { vec![index] };
        let mut path = item(PathSegment::Index(1));
        path.push(PathSegment::Field("name".to_owned()));
        assert!(failures.add(&path) && !failures.add(&path));
        let items = json!([{ "id": "a", "name": "b" }, { "id": "c" }]);
        let mut value = Value::from_json(if of.starts_with("[[") { json!([items, []]) } else { items }).unwrap();
        let tree = SelectionTree::from_sets(&[&operation.node.selection_set.node], &document.fragments);
        let stays = Propagation { schema: &schema }.propagate(&mut value, &Type::new(of).unwrap(), &tree, &failures);
        json!([stays, value])
    }

    #[test]
    fn an_item_is_null_or_its_list_or_what_holds_that() {
        let first = json!({ "id": "a", "name": "b" });
        assert_eq!(list("[Book]!"), json!([true, [first, null]]));
        assert_eq!(list("[Book!]!"), json!([false, null]));
        assert_eq!(list("[Book!]"), json!([true, null]));
        assert_eq!(list("[[Book!]]!"), json!([true, [null, []]]));
        assert_eq!(list("[[Book!]!]!"), json!([false, null]));
        assert_eq!(list("[[Book]!]!"), json!([true, [[first, null], []]]));
    }
}
