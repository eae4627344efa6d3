//! Tests that a row's field has the same value whether it is queried alone or with all fields, with or without an
//! alias, in any fragment.

use serde_json::{Value, json};

use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(Mended:
    a_field_asked_for_alone_is_what_it_is_among_all,
    a_cursor_asked_for_alone_is_what_it_is_among_all,
    fields_come_in_the_order_in_which_they_are_asked_for,
    a_field_asked_for_twice_has_what_both_want,
);

const SESSION: [&str; 9] =
    ["id", "name", "status", "rawStatus", "phoneNumber", "stale", "createdAt", "updatedAt", "groupCount"];
const GROUP: [&str; 7] = ["id", "jid", "name", "participantCount", "createdAt", "updatedAt", "session { id }"];

async fn fetch_nodes(app: &TestApp, list: &str, query: &str) -> Vec<Value> {
    let data = app.data(query, json!({})).await;
    let page = &data[list];
    match page["nodes"].as_array() {
        Some(nodes) => nodes.clone(),
        None => page["edges"].as_array().unwrap().iter().map(|edge| edge["node"].clone()).collect(),
    }
}

async fn a_field_asked_for_alone_is_what_it_is_among_all(db: TestDb) {
    let app = TestApp::over(db).await;
    for (list, of_type, fields) in [("sessions", "Session", &SESSION[..]), ("groups", "Group", &GROUP[..])] {
        let all =
            fetch_nodes(&app, list, &format!("{{ {list}(first: 100) {{ nodes {{ {} }} }} }}", fields.join(" "))).await;
        assert!(all.len() >= 14, "{list}");
        for field in fields {
            let page = format!("{list}(first: 100)");
            let (name, rest) = field.split_once(' ').unwrap_or((field, ""));
            for (query, key) in [
                (format!("{{ {page} {{ nodes {{ {field} }} }} }}"), name),
                (format!("{{ {page} {{ nodes {{ __typename another: {field} }} }} }}"), "another"),
                (format!("{{ {page} {{ edges {{ node {{ {field} }} }} }} }}"), name),
                (format!("{{ {page} {{ nodes {{ ...F }} }} }} fragment F on {of_type} {{ {field} }}"), name),
                (
                    format!(
                        "{{ {page} {{ nodes {{ ... {{ ...F }} }} }} }} fragment F on Node {{ ... on {of_type} {{ {field} }} }}"
                    ),
                    name,
                ),
                (
                    format!(
                        "{{ {page} {{ ...P }} }} fragment P on {of_type}Connection {{ edges {{ ...E }} }} \
                          fragment E on {of_type}Edge {{ node {{ {name} @include(if: true) {rest} }} }}"
                    ),
                    name,
                ),
            ] {
                let found = fetch_nodes(&app, list, &query).await;
                let values =
                    |nodes: &[Value], key: &str| nodes.iter().map(|node| node[key].clone()).collect::<Vec<_>>();
                assert_eq!(values(&found, key), values(&all, name), "{query}");
            }
        }
    }
}

async fn a_cursor_asked_for_alone_is_what_it_is_among_all(db: TestDb) {
    let app = TestApp::over(db).await;
    for list in ["sessions", "groups"] {
        let info = "pageInfo { hasNextPage startCursor endCursor }";
        let all = app.data(&format!("{{ {list} {{ edges {{ cursor node {{ id }} }} {info} }} }}"), json!({})).await;
        let edges = app.data(&format!("{{ {list} {{ edges {{ cursor }} }} }}"), json!({})).await;
        let places = |data: &Value| {
            let edges = data[list]["edges"].as_array().unwrap();
            edges.iter().map(|edge| edge["cursor"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(places(&edges), places(&all));
        let info = &all[list]["pageInfo"];
        for end in ["startCursor", "endCursor"] {
            let alone = app.data(&format!("{{ {list} {{ pageInfo {{ {end} }} }} }}"), json!({})).await;
            assert_eq!(alone[list]["pageInfo"][end], info[end]);
            assert!(info[end].is_string());
        }
        let cut = format!("{{ {list}(first: 2, after: {}) {{ nodes {{ id }} }} }}", info["startCursor"]);
        let second = &all[list]["edges"][1]["node"]["id"];
        assert_eq!(app.data(&cut, json!({})).await[list]["nodes"][0]["id"], *second);
    }
}

async fn fields_come_in_the_order_in_which_they_are_asked_for(db: TestDb) {
    let app = TestApp::over(db).await;
    let query = "{ sessions(first: 1) { nodes { status groupCount __typename n: name id } } }";
    let body = app.post(query, json!({})).await.body;
    let places: Vec<_> =
        ["status", "groupCount", "__typename", "n", "id"].map(|key| body.find(&format!("\"{key}\":")).unwrap()).into();
    assert!(places.is_sorted(), "{body}");
}

async fn a_field_asked_for_twice_has_what_both_want(db: TestDb) {
    let app = TestApp::over(db).await;
    let query = "{ sessions(first: 2) { nodes { id id g: groups(first: 1) { nodes { id } } } \
                 nodes { g: groups(first: 1) { nodes { name } } } } }";
    let data = app.data(query, json!({})).await;
    for node in data["sessions"]["nodes"].as_array().unwrap() {
        assert!(node["id"].is_string(), "{data}");
        for group in node["g"]["nodes"].as_array().unwrap() {
            assert!(group["id"].is_string() && group["name"].is_string(), "{data}");
        }
    }
}
