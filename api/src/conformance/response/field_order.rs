//! The order of a response's fields, which is that of the query. async-graphql inserts fields in the order in which they are
//! resolved.

use async_graphql::{Name, Value};

use super::selection_tree::SelectionTree;

/// Sorts the fields of an object, and of all objects within it, into the order of the query.
pub(crate) fn sort_fields(value: &mut Value, tree: &SelectionTree<'_>) {
    match value {
        Value::List(items) => items.iter_mut().for_each(|item| sort_fields(item, tree)),
        Value::Object(fields) if !tree.fields.is_empty() => {
            // Most are in order already, which takes no lookup to see.
            if !fields.keys().map(Name::as_str).eq(tree.fields.keys().copied()) {
                fields.sort_by_cached_key(|name, _| tree.fields.get_index_of(name.as_str()).unwrap_or(usize::MAX));
            }
            for (name, value) in fields {
                if matches!(value, Value::List(_) | Value::Object(_))
                    && let Some(tree) = tree.fields.get(name.as_str())
                {
                    sort_fields(value, tree);
                }
            }
        }
        _ => {}
    }
}
