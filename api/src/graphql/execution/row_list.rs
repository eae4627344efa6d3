//! Lists of rows whose synchronous fields are resolved in place.
//!
//! async-graphql creates a future for every field of every row. That is most of the cost of a field that only returns a
//! value that has been read. A [`RowList`] resolves such fields in place and awaits only the others.

use std::borrow::Cow;
use std::pin::pin;
use std::task::{self, Poll, Waker};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_list};
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};
use futures_util::future::join_all;

use crate::conformance::TYPENAME;
use crate::conformance::visit::{SelectedField, walk_selections};

/// The row type of a [`RowList`].
pub trait Row: ContainerType {
    /// The fields that are resolved from the row itself, without waiting.
    const SYNC_FIELDS: &'static [&'static str] = &[];
    /// Pairs of a field and a column that is read for this field only.
    const COLUMNS_BY_FIELD: &'static [(&'static str, &'static str)] = &[];
}

/// A list of rows that clients see as a `Vec` of them.
#[derive(Debug)]
pub struct RowList<'a, T>(pub Vec<&'a T>);

/// The fields of a row, in the order of the query.
type FieldValues = IndexMap<Name, Value>;

impl<T: Row> OutputType for RowList<'_, T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let Some(fields) = plain_fields::<T>(ctx) else {
            return resolve_list(ctx, field, &self.0, Some(self.0.len())).await;
        };
        let nulls = fields.iter().map(|field| (field.node.response_key().node.clone(), Value::Null)).collect();
        let (fields, nulls) = (fields.as_slice(), &nulls);
        let rows = self.0.iter().enumerate();
        let partial: Vec<PartialRow> =
            rows.map(|(index, row)| resolve_sync(&ctx.with_index(index), *row, fields, nulls)).collect();
        if partial.iter().all(|row| row.pending.is_empty()) {
            // Futures that are all ready would still cost one future per row.
            return Ok(Value::List(partial.into_iter().map(|row| Value::Object(row.fields)).collect()));
        }
        let rows = self.0.iter().zip(partial).enumerate();
        let rows = rows
            .map(async |(index, (row, partial))| resolve_async(&ctx.with_index(index), *row, fields, partial).await);
        Ok(Value::List(join_all(rows).await))
    }
}

/// Returns the fields of a row that the query selects.
///
/// Returns `None` if fields have to be merged or if only async-graphql can decide whether they apply.
fn plain_fields<'a, T: Row>(ctx: &ContextSelectionSet<'a>) -> Option<Vec<&'a Positioned<Field>>> {
    let mut fields: Vec<&Positioned<Field>> = Vec::new();
    let walk_result = walk_selections(&ctx.item.node, &ctx.query_env.fragments, (), &mut |selected, ()| {
        let (is_plain, scope) = match selected {
            SelectedField::Field(field) => {
                let key = &field.node.response_key().node;
                let is_new = fields.iter().all(|other| other.node.response_key().node != *key);
                fields.push(field);
                (is_new && field.node.directives.is_empty(), None)
            }
            SelectedField::Fragment(fragment) => {
                (fragment.type_condition.is_none_or(|condition| condition == T::type_name()), Some(()))
            }
        };
        if is_plain { Ok(scope) } else { Err(()) }
    });
    walk_result.ok().map(|()| fields)
}

fn is_sync<T: Row>(field: &Positioned<Field>) -> bool {
    T::SYNC_FIELDS.contains(&field.node.name.node.as_str())
}

/// A row of which some fields may not be resolved yet.
struct PartialRow {
    /// The resolved values. A field that failed stays null.
    fields: FieldValues,
    /// The indexes of the fields that have to be awaited.
    pending: Vec<usize>,
}

impl PartialRow {
    fn set(&mut self, ctx: &ContextSelectionSet<'_>, index: usize, value: ServerResult<Option<Value>>) {
        match value {
            Ok(value) => self.fields[index] = value.unwrap_or_default(),
            Err(error) => ctx.add_error(error),
        }
    }
}

/// Resolves the fields that do not wait. `nulls` has the keys of all fields; copying it is faster than inserting the
/// keys one by one.
fn resolve_sync<T: Row>(
    ctx: &ContextSelectionSet<'_>,
    row: &T,
    fields: &[&Positioned<Field>],
    nulls: &FieldValues,
) -> PartialRow {
    let mut partial = PartialRow { fields: nulls.clone(), pending: Vec::new() };
    for (index, field) in fields.iter().enumerate() {
        if field.node.name.node == TYPENAME {
            partial.fields[index] = Value::String(T::type_name().into_owned());
            continue;
        }
        let ctx_field = ctx.with_field(field);
        let polled = is_sync::<T>(field)
            .then(|| pin!(row.resolve_field(&ctx_field)).poll(&mut task::Context::from_waker(Waker::noop())));
        match polled {
            Some(Poll::Ready(value)) => partial.set(ctx, index, value),
            Some(Poll::Pending) | None => partial.pending.push(index),
        }
    }
    partial
}

/// Resolves the fields that [`resolve_sync`] left pending.
async fn resolve_async<T: Row>(
    ctx: &ContextSelectionSet<'_>,
    row: &T,
    fields: &[&Positioned<Field>],
    mut partial: PartialRow,
) -> Value {
    let pending = std::mem::take(&mut partial.pending);
    let values = pending.iter().map(async |index| row.resolve_field(&ctx.with_field(fields[*index])).await);
    for (index, value) in pending.iter().zip(join_all(values).await) {
        partial.set(ctx, *index, value);
    }
    Value::Object(partial.fields)
}
