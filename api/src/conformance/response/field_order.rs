//! The order of an answer's fields, which is the query's. The library puts them in as they come.

use async_graphql::{Name, Value};

use super::selection_tree::Asked;

/// Puts the fields of an object, and of all objects in it, in the order in which they are asked for.
pub(crate) fn put_in_order(value: &mut Value, asked: &Asked<'_>) {
    match value {
        Value::List(items) => items.iter_mut().for_each(|item| put_in_order(item, asked)),
        Value::Object(fields) if !asked.fields.is_empty() => {
            // Most are in order already, which is seen without looking anything up.
            if !fields.keys().map(Name::as_str).eq(asked.fields.keys().copied()) {
                fields.sort_by_cached_key(|name, _| asked.fields.get_index_of(name.as_str()).unwrap_or(usize::MAX));
            }
            for (name, value) in fields {
                if matches!(value, Value::List(_) | Value::Object(_))
                    && let Some(asked) = asked.fields.get(name.as_str())
                {
                    put_in_order(value, asked);
                }
            }
        }
        _ => {}
    }
}
