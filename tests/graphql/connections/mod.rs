//! Property tests of paged lists: random rows with ties and nulls, random filters, orders, sizes, directions and
//! bounds, and rows that are added or deleted between two pages. Every page, including its `hasNextPage` and
//! `hasPreviousPage`, must equal the model's page.

mod deletions;
mod groups;
mod sessions;

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::http::app::TestApp;

/// A row's position in a list: its sort value, as text that sorts in the same order, and its id.
type Place = (Option<String>, String);

/// A list and its model.
trait Model {
    /// Returns the variable definitions of the query, and the field with its arguments except those of pages.
    fn query(&self) -> (String, String);
    /// Returns the variables of the query.
    fn variables(&self) -> Value;
    /// Returns whether the largest value comes first.
    fn descending(&self) -> bool;
    /// Returns the rows that the list has now, in no particular order.
    fn rows(&self) -> Vec<Place>;
    /// Adds or deletes a row.
    async fn change_rows(&mut self, app: &TestApp, random: &mut StdRng);
}

/// Returns the seeds of this test run. They are repeatable; `PROPERTY_SEED` selects other ones.
fn seeds(cases: u64) -> impl Iterator<Item = u64> {
    let first = std::env::var("PROPERTY_SEED").map_or(1, |seed| seed.parse().unwrap());
    first * 1_000..first * 1_000 + cases
}

fn random(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// Reads a list page by page, from one of its ends to the other one or to a bound.
async fn check_pages(app: &TestApp, model: &mut impl Model, random: &mut StdRng) {
    let mut seen = BTreeSet::new();
    let mut stayed: Option<BTreeSet<String>> = None;
    let backwards = random.random();
    let mut from: Option<(String, Place)> = None;
    let to = if random.random_bool(0.3) { random_bound(app, model, random).await } else { None };
    loop {
        let size = random.random_range(0..6);
        let page = fetch_page(app, model, size, backwards, from.as_ref(), to.as_ref()).await;
        let expected = expected_page(model, size, backwards, from.as_ref(), to.as_ref());
        assert_eq!(page.ids, expected.ids, "size {size}, backwards {backwards}, from {from:?}, to {to:?}");
        assert_eq!((page.has_previous, page.has_next), (expected.has_previous, expected.has_next), "{:?}", page.ids);
        let now: BTreeSet<String> = ordered_rows(model).into_iter().map(|(_, id)| id).collect();
        stayed = Some(stayed.map_or(now.clone(), |stayed| &stayed & &now));
        for id in &page.ids {
            assert!(seen.insert(id.clone()), "{id} stands on two pages");
        }
        let more = if backwards { page.has_previous } else { page.has_next };
        let end = if backwards { page.edges.first() } else { page.edges.last() };
        if let Some(end) = end {
            from = Some(end.clone());
        }
        if size > 0 && (end.is_none() || !more) {
            break;
        }
        model.change_rows(app, random).await;
    }
    if to.is_none() {
        let missing: Vec<_> = stayed.unwrap_or_default().into_iter().filter(|id| !seen.contains(id)).collect();
        assert_eq!(missing, Vec::<String>::new(), "were there all the time and on no page");
    }
}

/// Returns the list's current rows in its order.
fn ordered_rows(model: &impl Model) -> Vec<Place> {
    let mut rows = model.rows();
    rows.sort();
    if model.descending() {
        rows.reverse();
    }
    rows
}

struct Page {
    ids: Vec<String>,
    edges: Vec<(String, Place)>,
    has_previous: bool,
    has_next: bool,
}

/// Returns the page that the model expects.
fn expected_page(
    model: &impl Model,
    size: usize,
    backwards: bool,
    from: Option<&(String, Place)>,
    to: Option<&(String, Place)>,
) -> Page {
    let all = ordered_rows(model);
    let in_order = |one: &Place, other: &Place| if model.descending() { one > other } else { one < other };
    let (after, before) = if backwards { (to, from) } else { (from, to) };
    let mut rows: Vec<&Place> = all
        .iter()
        .filter(|row| after.is_none_or(|(_, after)| in_order(after, row)))
        .filter(|row| before.is_none_or(|(_, before)| in_order(row, before)))
        .collect();
    let more = rows.len() > size;
    if backwards {
        rows.drain(..rows.len().saturating_sub(size));
    } else {
        rows.truncate(size);
    }
    let outside = |bound: Option<&(String, Place)>, is_before: bool| {
        bound.is_some_and(|(_, bound)| all.iter().any(|row| row == bound || in_order(row, bound) == is_before))
    };
    Page {
        ids: rows.into_iter().map(|(_, id)| id.clone()).collect(),
        edges: Vec::new(),
        has_previous: outside(after, true) || (backwards && more),
        has_next: outside(before, false) || (!backwards && more),
    }
}

/// Returns the page that the server responds with.
async fn fetch_page(
    app: &TestApp,
    model: &impl Model,
    size: usize,
    backwards: bool,
    from: Option<&(String, Place)>,
    to: Option<&(String, Place)>,
) -> Page {
    let (declared, field) = model.query();
    let query = format!(
        "query Q($first: Int, $after: String, $last: Int, $before: String{declared}) {{ list: {field}, first: $first, \
         after: $after, last: $last, before: $before) {{ totalCount nodes {{ id }} edges {{ cursor node {{ id }} }} \
         pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    let mut variables = model.variables();
    let cursor = |place: Option<&(String, Place)>| place.map(|(cursor, _)| cursor.clone());
    let (size_of, start, end) = if backwards { ("last", "before", "after") } else { ("first", "after", "before") };
    variables[size_of] = json!(size);
    variables[start] = json!(cursor(from));
    variables[end] = json!(cursor(to));
    let list = app.data(&query, variables).await["list"].take();
    let rows = model.rows();
    let edges: Vec<(String, Place)> = list["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| {
            let id = edge["node"]["id"].as_str().unwrap();
            let place = rows.iter().find(|(_, of)| of == id).unwrap_or_else(|| panic!("{id} is not in the list"));
            (edge["cursor"].as_str().unwrap().to_owned(), place.clone())
        })
        .collect();
    let (info, ends) = (&list["pageInfo"], [edges.first(), edges.last()].map(cursor));
    assert_eq!([&info["startCursor"], &info["endCursor"]], [&json!(ends[0]), &json!(ends[1])]);
    assert_eq!(list["nodes"], json!(edges.iter().map(|(_, (_, id))| json!({ "id": id })).collect::<Vec<_>>()));
    assert_eq!(list["totalCount"], rows.len());
    Page {
        ids: edges.iter().map(|(_, (_, id))| id.clone()).collect(),
        has_previous: info["hasPreviousPage"].as_bool().unwrap(),
        has_next: info["hasNextPage"].as_bool().unwrap(),
        edges,
    }
}

/// Returns the cursor of a random row, to end a list at.
async fn random_bound(app: &TestApp, model: &impl Model, random: &mut StdRng) -> Option<(String, Place)> {
    fetch_page(app, model, 100, false, None, None).await.edges.choose(random).cloned()
}
