//! Tests of the queries for one session and for the list of sessions.

use api::db::Dialect;
use api::demo::scenario::SESSIONS;
use serde_json::{Value, json};

use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(Mended: a_session_is_read_by_its_id, an_unknown_id_is_null, pages_follow_each_other_without_gap_or_overlap);
on_both!(Mended:
    a_page_has_twenty_nodes_unless_said,
    a_page_of_none_still_says_what_follows,
    the_total_is_counted_only_when_asked,
);
on_both!(Mended: the_impacts_of_a_page_are_read_together, a_forged_cursor_is_refused);

async fn a_session_is_read_by_its_id(db: TestDb) {
    let query = "query Q($id: ID!) { session(id: $id) { __typename ... on Node { id } name status rawStatus phoneNumber stale } }";
    let app = TestApp::over(db).await;
    let session = app.data(query, json!({ "id": SESSIONS[0].id.to_uppercase() })).await;
    let expected = json!({ "session": {
        "__typename": "Session", "id": SESSIONS[0].id, "name": "stale-1", "status": "QR_PENDING", "rawStatus": "qr_pending",
        "phoneNumber": null, "stale": true,
    } });
    assert_eq!(session, expected);
    let session = app.data(query, json!({ "id": SESSIONS[9].id })).await;
    let expected = json!({ "session": {
        "__typename": "Session", "id": SESSIONS[9].id, "name": "live-1", "status": "CONNECTED", "rawStatus": "connected",
        "phoneNumber": "+15550100010", "stale": false,
    } });
    assert_eq!(session, expected);
}

async fn an_unknown_id_is_null(db: TestDb) {
    let query = "{ session(id: \"00000000-0000-4000-8000-000000000000\") { id } }";
    assert_eq!(TestApp::over(db).await.data(query, json!({})).await, json!({ "session": null }));
}

const PAGE: &str = "query Q($first: Int, $after: String) { sessions(first: $first, after: $after) {
    edges { cursor node { id createdAt } } nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn pages_follow_each_other_without_gap_or_overlap(db: TestDb) {
    let app = TestApp::over(db).await;
    for size in [1, 5, 7, 13, 14, 15] {
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = app.data(PAGE, json!({ "first": size, "after": after })).await["sessions"].take();
            let (edges, info) = (page["edges"].as_array().unwrap(), &page["pageInfo"]);
            assert_eq!(info["hasPreviousPage"], !seen.is_empty());
            assert_eq!(
                (&info["startCursor"], &info["endCursor"]),
                (&edges[0]["cursor"], &edges[edges.len() - 1]["cursor"])
            );
            let nodes: Vec<_> = edges.iter().map(|edge| json!({ "id": edge["node"]["id"] })).collect();
            assert_eq!(page["nodes"], json!(nodes));
            seen.extend(edges.iter().map(|edge| edge["node"].clone()));
            if info["hasNextPage"] == false {
                break;
            }
            assert_eq!(edges.len(), size);
            after = info["endCursor"].clone();
        }
        let mut ids: Vec<_> = seen.iter().map(|node| node["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((seen.len(), ids.len()), (SESSIONS.len(), SESSIONS.len()), "pages of {size}");
        let moments: Vec<_> = seen.iter().map(|node| node["createdAt"].as_str().unwrap().to_owned()).collect();
        assert!(moments.is_sorted_by(|one, next| one >= next), "newest first: {moments:?}");
    }
}

async fn a_page_has_twenty_nodes_unless_said(db: TestDb) {
    let statements: Vec<_> = (0..10)
        .map(|n| {
            let copied = format!("c0ffee00-0000-4000-8000-0000000001{n:02}");
            format!(
                "INSERT INTO whatsapp_sessions (id, session_name, status) VALUES ('{copied}', 'more-{n}', 'connected')"
            )
        })
        .collect();
    db.exec_all(&statements).await;
    let app = TestApp::over(db).await;
    for variables in [json!({}), json!({ "first": null, "after": null })] {
        let page = app.data(PAGE, variables).await["sessions"].take();
        assert_eq!(page["nodes"].as_array().unwrap().len(), 20);
        assert_eq!(page["pageInfo"]["hasNextPage"], true);
    }
    let page = app.data(PAGE, json!({ "first": 100 })).await["sessions"].take();
    assert_eq!(page["nodes"].as_array().unwrap().len(), 24);
    assert_eq!(page["pageInfo"]["hasNextPage"], false);
}

async fn a_page_of_none_still_says_what_follows(db: TestDb) {
    let page = TestApp::over(db).await.data(PAGE, json!({ "first": 0 })).await;
    let info = json!({ "hasNextPage": true, "hasPreviousPage": false, "startCursor": null, "endCursor": null });
    assert_eq!(page, json!({ "sessions": { "edges": [], "nodes": [], "pageInfo": info } }));
}

async fn the_total_is_counted_only_when_asked(db: TestDb) {
    let (database, counter) = db.counted().await;
    let app = TestApp::with(db, database);
    let page = "{ sessions(first: 1) { nodes { id } } }";
    app.data(page, json!({})).await;
    counter.take();
    app.data(page, json!({})).await;
    let without = counter.take().len();
    let data = app.data("{ sessions(first: 1) { totalCount nodes { id } } }", json!({})).await;
    assert_eq!(data["sessions"]["totalCount"], 14);
    assert!(counter.take().len() > without);
}

async fn the_impacts_of_a_page_are_read_together(db: TestDb) {
    let (database, counter) = db.counted().await;
    let app = TestApp::with(db, database);
    let statements = async |first: i32| {
        let query = "query Q($first: Int) { sessions(first: $first) { nodes { id impact { rowsDeleted } } edges { node { impact { token } } } } }";
        app.data(query, json!({ "first": first })).await;
        counter.take().len()
    };
    // The table's columns are read only by the first request within a short time.
    statements(1).await;
    let for_one = statements(1).await;
    assert!(for_one > 0);
    assert_eq!(statements(14).await, for_one);
}

async fn a_forged_cursor_is_refused(db: TestDb) {
    let dialect = db.dialect();
    let app = TestApp::over(db).await;
    let cursor = |value: &str, id: &str| {
        encode_base64url(&json!({ "o": "sessions by created, last first", "v": value, "i": id }).to_string())
    };
    for value in ["", "never", "'; DROP TABLE whatsapp_sessions; --", "\u{0}", "infinitely", "10000000-01-01"] {
        let answer = app.post(PAGE, json!({ "after": cursor(value, SESSIONS[0].id) })).await;
        // SQLite compares text with text, so that any text is a valid cursor value.
        if dialect == Dialect::Postgres {
            assert_eq!(answer.error().0, "BAD_USER_INPUT", "{value}: {}", answer.body);
        }
        assert!(!answer.body.contains("INTERNAL"), "{value}: {}", answer.body);
    }
    if dialect == Dialect::Postgres {
        let answer = app.post(PAGE, json!({ "after": cursor("2026-01-01", "1; SELECT") })).await;
        assert_eq!(answer.error().0, "BAD_USER_INPUT", "{}", answer.body);
    }
    let other = json!({ "o": "sessions by name", "v": "x", "i": SESSIONS[0].id }).to_string();
    for cursor in ["", "AAAA", &"A".repeat(5_000), &encode_base64url("{}"), &encode_base64url(&other)] {
        let answer = app.post(PAGE, json!({ "after": cursor })).await;
        assert_eq!(answer.error().0, "BAD_USER_INPUT", "{cursor}: {}", answer.body);
    }
}

/// Encodes a text as base64url, the encoding of cursors, which are opaque to all other clients.
fn encode_base64url(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digits = text.as_bytes().chunks(3).flat_map(|chunk| {
        let bits = chunk.iter().chain(&[0, 0]).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63])).into_iter().take(chunk.len() + 1)
    });
    digits.collect()
}
