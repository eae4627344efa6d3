//! Tests of lists over the column types that an adopted database may have in place of the default ones.

use api::demo::scenario::SESSIONS;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::app::TestApp;
use crate::support::{TestDb, on_both, only};

only!(postgres Empty:
    ids_of_a_fixed_length_are_found,
    a_name_whose_collation_takes_no_patterns_can_be_searched,
    a_column_that_holds_no_times_counts_as_none,
);
on_both!(Empty: a_page_goes_on_behind_a_long_name);
on_both!(Mended: without_this_program_s_tables_an_error_says_what_to_run);

const SESSION: &str = "10000000-0000-4000-8000-000000000001";

/// Creates one session with one group. `types` are the column types of the ids, the names and the times.
async fn create_adopted_tables(db: TestDb, [id, name, time]: [&str; 3]) -> TestApp {
    db.exec(&format!(
        "CREATE TABLE whatsapp_sessions (id {id} PRIMARY KEY, status text, phone_number text, session_name {name}, \
           created_at {time}); \
         CREATE TABLE whatsapp_groups (id {id} PRIMARY KEY, session_id {id} REFERENCES whatsapp_sessions (id), \
           group_name {name} NOT NULL, created_at {time}); \
         INSERT INTO whatsapp_sessions (id, session_name) VALUES ('{SESSION}', 'Straße'); \
         INSERT INTO whatsapp_groups (id, session_id, group_name) \
           VALUES ('20000000-0000-4000-8000-000000000002', '{SESSION}', 'Ärger')"
    ))
    .await;
    TestApp::over(db).await
}

async fn ids_of_a_fixed_length_are_found(db: TestDb) {
    let app = create_adopted_tables(db, ["character(36)", "text", "timestamptz"]).await;
    let query = "query Q($id: ID!) { session(id: $id) { groupCount groups { nodes { session { id } } } } }";
    let session = app.data(query, json!({ "id": SESSION })).await["session"].take();
    assert_eq!(session, json!({ "groupCount": 1, "groups": { "nodes": [{ "session": { "id": SESSION } }] } }));
}

async fn a_name_whose_collation_takes_no_patterns_can_be_searched(db: TestDb) {
    db.exec("CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false)").await;
    let app = create_adopted_tables(db, ["uuid", "text COLLATE alike", "timestamptz"]).await;
    let query =
        "{ sessions(filter: { search: \"STRAß\" }) { totalCount } groups(filter: { search: \"äRG\" }) { totalCount } }";
    let found = app.data(query, json!({})).await;
    assert_eq!(found, json!({ "sessions": { "totalCount": 1 }, "groups": { "totalCount": 1 } }));
}

async fn a_column_that_holds_no_times_counts_as_none(db: TestDb) {
    let app = create_adopted_tables(db, ["uuid", "text", "bigint"]).await;
    app.db.exec("UPDATE whatsapp_sessions SET created_at = 1767225600").await;
    let query = "{ sessions(orderBy: { field: CREATED_AT }) { nodes { createdAt } } \
                   none: sessions(filter: { createdAfter: \"2020-01-01T00:00:00Z\" }) { totalCount } }";
    let found = app.data(query, json!({})).await;
    assert_eq!(found, json!({ "sessions": { "nodes": [{ "createdAt": null }] }, "none": { "totalCount": 0 } }));
}

async fn a_page_goes_on_behind_a_long_name(db: TestDb) {
    let app = create_adopted_tables(db, ["varchar(36)", "text", "date"]).await;
    // A letter of two bytes, and a control character that JSON escapes with six bytes.
    let name = "ü\u{1}".repeat(2_000);
    let other = Uuid::from_u128(7);
    app.db.exec(&format!("UPDATE whatsapp_groups SET group_name = '{name}'")).await;
    app.db
        .exec(&format!(
            "INSERT INTO whatsapp_groups (id, session_id, group_name) VALUES ('{other}', '{SESSION}', '{name}2')"
        ))
        .await;
    let query = "query Q($after: String) { groups(first: 1, after: $after) { nodes { name } pageInfo { endCursor hasNextPage } } }";
    let first = app.data(query, json!({ "after": null })).await["groups"].take();
    let second = app.data(query, json!({ "after": first["pageInfo"]["endCursor"] })).await["groups"].take();
    let names = |page: &Value| page["nodes"][0]["name"].as_str().unwrap().to_owned();
    assert_eq!([names(&first), names(&second)], [name.clone(), format!("{name}2")]);
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
}

async fn without_this_program_s_tables_an_error_says_what_to_run(db: TestDb) {
    let app = TestApp::over(db).await;
    let message = "The database lacks a required table. Run `session-admin migrate`, then try again.";
    let stale = SESSIONS[0].id;
    let delete = format!("mutation {{ deleteSession(input: {{ id: \"{stale}\" }}) {{ userErrors {{ code }} }} }}");
    for query in [
        "{ deletions { totalCount } }",
        "{ cleanupRuns { totalCount } }",
        "mutation { cleanUpSessions(input: { dryRun: false }) { userErrors { code } } }",
        &delete,
    ] {
        let error = app.error(query, json!({})).await;
        assert_eq!(error, ("MIGRATIONS_PENDING".to_owned(), message.to_owned()), "{query}");
    }
}
