//! Lists of rows. The library makes a task for every field of every row, which is most of the work where a field only
//! hands out what has been read; here such fields are answered in place, and only the others wait.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_list};
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};
use futures_util::FutureExt as _;
use futures_util::future::join_all;

/// Every type has it.
const TYPENAME: &str = "__typename";

/// A type of which lists are answered.
pub(super) trait Row: ContainerType {
    /// The fields that are answered from the row itself, without waiting for anything.
    const AT_HAND: &'static [&'static str];
}

/// A list of such rows, for clients the same as a `Vec` of them.
#[derive(Debug)]
pub(super) struct Rows<'a, T>(pub Vec<&'a T>);

/// A field of the rows, and whether it is at hand.
type Asked<'a> = (&'a Positioned<Field>, bool);

impl<T: Row> OutputType for Rows<'_, T> {
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
        let mut asked = Vec::new();
        if !collect::<T>(ctx, &ctx.item.node, &mut asked) {
            return resolve_list(ctx, field, &self.0, Some(self.0.len())).await;
        }
        if asked.iter().all(|(_, at_hand)| *at_hand) {
            let rows = self.0.iter().enumerate();
            let at_once = rows.map(|(place, row)| resolve(&ctx.with_index(place), *row, &asked).now_or_never());
            if let Some(values) = at_once.collect() {
                return Ok(Value::List(values));
            }
        }
        let rows = self.0.iter().enumerate();
        let asked = asked.as_slice();
        let rows = rows.map(async |(place, row)| resolve(&ctx.with_index(place), *row, asked).await);
        Ok(Value::List(join_all(rows).await))
    }
}

/// Collects the fields that are asked for; false where two have to be merged, or where only the library can tell whether
/// they apply.
fn collect<'a, T: Row>(ctx: &ContextSelectionSet<'a>, set: &'a SelectionSet, asked: &mut Vec<Asked<'a>>) -> bool {
    set.items.iter().all(|selection| {
        let (condition, inner) = match &selection.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                let is_new = asked.iter().all(|(other, _)| other.node.response_key().node != *key);
                let name = field.node.name.node.as_str();
                let at_hand = name == TYPENAME || T::AT_HAND.contains(&name);
                asked.push((field, at_hand));
                return is_new && field.node.directives.is_empty();
            }
            Selection::InlineFragment(fragment) => {
                (fragment.node.type_condition.as_ref(), &fragment.node.selection_set)
            }
            Selection::FragmentSpread(spread) => match ctx.query_env.fragments.get(&spread.node.fragment_name.node) {
                Some(fragment) => (Some(&fragment.node.type_condition), &fragment.node.selection_set),
                None => return false,
            },
        };
        condition.is_none_or(|condition| *condition.node.on.node == *T::type_name()) && collect::<T>(ctx, &inner.node, asked)
    })
}

/// One row. As in the library, a field that fails is left out and its error reported.
async fn resolve<T: Row>(ctx: &ContextSelectionSet<'_>, row: &T, asked: &[Asked<'_>]) -> Value {
    let mut found: IndexMap<Name, Value> = IndexMap::with_capacity(asked.len());
    let mut waiting = Vec::new();
    for (field, at_hand) in asked {
        let name = &field.node.response_key().node;
        if field.node.name.node == TYPENAME {
            found.insert(name.clone(), Value::String(T::type_name().into_owned()));
            continue;
        }
        let ctx_field = ctx.with_field(field);
        let at_once = if *at_hand { row.resolve_field(&ctx_field).now_or_never() } else { None };
        match at_once {
            Some(Ok(value)) => drop(found.insert(name.clone(), value.unwrap_or_default())),
            Some(Err(error)) => ctx.add_error(error),
            None => {
                // Keeps its place.
                found.insert(name.clone(), Value::Null);
                waiting.push(async move { (name, row.resolve_field(&ctx.with_field(field)).await) });
            }
        }
    }
    for (name, value) in join_all(waiting).await {
        match value {
            Ok(value) => drop(found.insert(name.clone(), value.unwrap_or_default())),
            Err(error) => {
                found.shift_remove(name);
                ctx.add_error(error);
            }
        }
    }
    if found.is_empty() { Value::Null } else { Value::Object(found) }
}
