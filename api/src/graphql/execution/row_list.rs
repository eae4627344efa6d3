//! Lists of rows. The library makes a task for every field of every row, which is most of the work where a field only
//! hands out what has been read; here such fields are answered in place, and only the others wait.

use std::borrow::Cow;
use std::pin::pin;
use std::task::{self, Poll, Waker};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_list};
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};
use futures_util::future::join_all;

use crate::conformance::rewrite::typename_directives::TYPENAME;

/// A type of which lists are answered.
pub trait Row: ContainerType {
    /// The fields that are answered from the row itself, without waiting for anything.
    const AT_HAND: &'static [&'static str] = &[];
    /// Columns that are read for one field only, each behind that field.
    const READ_FOR: &'static [(&'static str, &'static str)] = &[];
}

/// A list of such rows, for clients the same as a `Vec` of them.
#[derive(Debug)]
pub struct Rows<'a, T>(pub Vec<&'a T>);

/// The fields of a row, in the order in which they are asked for.
type Fields = IndexMap<Name, Value>;

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
        let empty = asked.iter().map(|field| (field.node.response_key().node.clone(), Value::Null)).collect();
        let (asked, empty) = (asked.as_slice(), &empty);
        let rows = self.0.iter().enumerate();
        let begun: Vec<Begun> = rows.map(|(place, row)| begin(&ctx.with_index(place), *row, asked, empty)).collect();
        if begun.iter().all(|row| row.missing.is_empty()) {
            // A list of futures that have nothing to wait for would still be one.
            return Ok(Value::List(begun.into_iter().map(|row| Value::Object(row.fields)).collect()));
        }
        let rows = self.0.iter().zip(begun).enumerate();
        let ended = rows.map(async |(place, (row, begun))| end(&ctx.with_index(place), *row, asked, begun).await);
        Ok(Value::List(join_all(ended).await))
    }
}

/// Collects the fields that are asked for; false where two have to be merged, or where only the library can tell whether
/// they apply.
fn collect<'a, T: Row>(
    ctx: &ContextSelectionSet<'a>,
    set: &'a SelectionSet,
    asked: &mut Vec<&'a Positioned<Field>>,
) -> bool {
    set.items.iter().all(|selection| {
        let (condition, inner) = match &selection.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                let is_new = asked.iter().all(|other| other.node.response_key().node != *key);
                asked.push(field);
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
        condition.is_none_or(|condition| *condition.node.on.node == *T::type_name())
            && collect::<T>(ctx, &inner.node, asked)
    })
}

fn is_at_hand<T: Row>(field: &Positioned<Field>) -> bool {
    let name = field.node.name.node.as_str();
    name == TYPENAME || T::AT_HAND.contains(&name)
}

/// A row of which some fields may be missing yet.
struct Begun {
    /// Those that failed stay null.
    fields: Fields,
    /// The places of fields that have to be waited for.
    missing: Vec<usize>,
}

impl Begun {
    fn put(&mut self, ctx: &ContextSelectionSet<'_>, place: usize, value: ServerResult<Option<Value>>) {
        match value {
            Ok(value) => self.fields[place] = value.unwrap_or_default(),
            Err(error) => ctx.add_error(error),
        }
    }
}

/// Answers what is at hand. To copy `empty` takes less than to put the names in one by one.
fn begin<T: Row>(ctx: &ContextSelectionSet<'_>, row: &T, asked: &[&Positioned<Field>], empty: &Fields) -> Begun {
    let mut begun = Begun { fields: empty.clone(), missing: Vec::new() };
    for (place, field) in asked.iter().enumerate() {
        if field.node.name.node == TYPENAME {
            begun.fields[place] = Value::String(T::type_name().into_owned());
            continue;
        }
        let ctx_field = ctx.with_field(field);
        let now = is_at_hand::<T>(field)
            .then(|| pin!(row.resolve_field(&ctx_field)).poll(&mut task::Context::from_waker(Waker::noop())));
        match now {
            Some(Poll::Ready(value)) => begun.put(ctx, place, value),
            Some(Poll::Pending) | None => begun.missing.push(place),
        }
    }
    begun
}

/// Waits for the rest.
async fn end<T: Row>(ctx: &ContextSelectionSet<'_>, row: &T, asked: &[&Positioned<Field>], mut begun: Begun) -> Value {
    let missing = std::mem::take(&mut begun.missing);
    let waiting = missing.iter().map(async |place| row.resolve_field(&ctx.with_field(asked[*place])).await);
    for (place, value) in missing.iter().zip(join_all(waiting).await) {
        begun.put(ctx, *place, value);
    }
    Value::Object(begun.fields)
}
