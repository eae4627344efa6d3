//! Tests of pages of the audit trail: newest first, with several records of the same time.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Model, Place, check_pages, random, seeds};
use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(Adopted: pages_of_deletions_are_what_the_model_says);

async fn pages_of_deletions_are_what_the_model_says(db: TestDb) {
    let app = TestApp::over(db).await;
    let names = match app.db.dialect() {
        api::db::Dialect::Postgres => ["session_admin.deletions", "session_admin.deleted_sessions"],
        api::db::Dialect::Sqlite => ["session_admin_deletions", "session_admin_deleted_sessions"],
    };
    for seed in seeds(25) {
        println!("PROPERTY_SEED={} walks {seed}", seed / 1_000);
        let mut random = random(seed);
        app.db.exec(&format!("DELETE FROM {}", names[0])).await;
        let mut deletions = Deletions { rows: Vec::new(), filter: json!({}), names };
        for _ in 0..random.random_range(0..15) {
            deletions.add(&app, &mut random).await;
        }
        deletions.filter = filter(&mut random);
        check_pages(&app, &mut deletions, &mut random).await;
    }
}

struct Row {
    id: String,
    by: &'static str,
    at: &'static str,
    status: &'static str,
    sessions: Vec<&'static str>,
}

struct Deletions {
    rows: Vec<Row>,
    filter: Value,
    names: [&'static str; 2],
}

const TIMES: [&str; 3] =
    ["2026-01-01T00:00:00.000000+00:00", "2026-01-01T00:00:00.000001+00:00", "2026-02-01T00:00:00.000000+00:00"];
const SESSIONS: [&str; 2] = ["6f9619ff-8b86-4d01-b42d-00cf4fc964f1", "6f9619ff-8b86-4d01-b42d-00cf4fc964f2"];

/// Stored as RESTORABLE, but past its retention period, so that clients see EXPIRED.
const OVER: &str = "OVER";

impl Deletions {
    async fn add(&mut self, app: &TestApp, random: &mut StdRng) {
        let row = Row {
            id: Uuid::from_u128(random.random()).to_string(),
            by: ["ann", "bob"].choose(random).unwrap(),
            at: TIMES.choose(random).unwrap(),
            status: ["NOT_ARCHIVED", "RESTORED", "RESTORABLE", "EXPIRED", OVER].choose(random).unwrap(),
            sessions: SESSIONS.into_iter().filter(|_| random.random()).collect(),
        };
        let (id, [deletions, deleted_sessions]) = (&row.id, self.names);
        let mut statements = vec![format!(
            "INSERT INTO {deletions} (id, deleted_by, deleted_at, rows_deleted, rows_unlinked, tables, allowed, status) \
             VALUES ('{id}', '{}', '{}', 1, 0, '[]', '[]', '{}')",
            row.by,
            row.at,
            if row.status == OVER { "RESTORABLE" } else { row.status }
        )];
        let until = if row.status == OVER { "2026-03-01" } else { "9000-01-01" };
        statements.push(format!(
            "UPDATE {deletions} SET restorable_until = '{until}T00:00:00.000000+00:00' \
             WHERE id = '{id}' AND status = 'RESTORABLE'"
        ));
        statements.extend(row.sessions.iter().enumerate().map(|(position, session)| {
            format!(
                "INSERT INTO {deleted_sessions} (deletion_id, session_id, name, position) \
                 VALUES ('{id}', '{session}', 'name', {position})"
            )
        }));
        app.db.exec_all(&statements).await;
        self.rows.push(row);
    }
}

impl Model for Deletions {
    fn query(&self) -> (String, String) {
        (", $filter: DeletionFilter".to_owned(), "deletions(filter: $filter".to_owned())
    }

    fn variables(&self) -> Value {
        json!({ "filter": self.filter })
    }

    fn descending(&self) -> bool {
        true
    }

    fn rows(&self) -> Vec<Place> {
        let met = |row: &&Row| {
            self.filter.as_object().unwrap().iter().all(|(field, wanted)| match field.as_str() {
                "statuses" => {
                    let status = if row.status == OVER { "EXPIRED" } else { row.status };
                    wanted.as_array().unwrap().iter().any(|wanted| wanted == status)
                }
                "sessionId" => row.sessions.iter().any(|session| wanted == session),
                "deletedBy" => wanted == row.by,
                "deletedAfter" => row.at > wanted.as_str().unwrap(),
                "deletedBefore" => row.at < wanted.as_str().unwrap(),
                _ => panic!("{field}"),
            })
        };
        self.rows.iter().filter(met).map(|row| (Some(row.at.to_owned()), row.id.clone())).collect()
    }

    async fn change_rows(&mut self, app: &TestApp, random: &mut StdRng) {
        if random.random() {
            self.add(app, random).await;
        } else if !self.rows.is_empty() {
            let deleted = self.rows.swap_remove(random.random_range(0..self.rows.len()));
            app.db.exec(&format!("DELETE FROM {} WHERE id = '{}'", self.names[0], deleted.id)).await;
        }
    }
}

/// Returns a random filter with any number of conditions.
fn filter(random: &mut StdRng) -> Value {
    let mut filter = json!({});
    for field in ["statuses", "sessionId", "deletedBy", "deletedAfter", "deletedBefore"] {
        if random.random_bool(0.2) {
            filter[field] = match field {
                "statuses" => {
                    let some: [&[&str]; 5] =
                        [&["NOT_ARCHIVED"], &["RESTORED", "EXPIRED"], &["RESTORABLE"], &["EXPIRED", "ERASED"], &[]];
                    json!(some.choose(random).unwrap())
                }
                "sessionId" => json!(SESSIONS.choose(random).unwrap()),
                "deletedBy" => json!(["ann", "carl"].choose(random).unwrap()),
                _ => json!(TIMES.choose(random).unwrap()),
            };
        }
    }
    filter
}
