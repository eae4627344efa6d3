//! Tests of pages of sessions in an adopted database whose columns may all be null.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Model, Place, check_pages, random, seeds};
use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(long Empty: pages_of_sessions_are_what_the_model_says);

async fn pages_of_sessions_are_what_the_model_says(db: TestDb) {
    let time = match db.dialect() {
        api::db::Dialect::Postgres => "timestamptz",
        api::db::Dialect::Sqlite => "text",
    };
    let id = if time == "text" { "text" } else { "uuid" };
    db.exec(&format!(
        "CREATE TABLE whatsapp_sessions (id {id} PRIMARY KEY, session_name text, status text, phone_number text, \
         created_at {time}, updated_at {time})"
    ))
    .await;
    let app = TestApp::over(db).await;
    for seed in seeds(60) {
        println!("PROPERTY_SEED={} walks {seed}", seed / 1_000);
        let mut random = random(seed);
        app.db.exec("DELETE FROM whatsapp_sessions").await;
        let mut sessions = Sessions { rows: Vec::new(), filter: json!({}), field: "CREATED_AT", descending: true };
        for _ in 0..random.random_range(0..25) {
            sessions.add(&app, &mut random).await;
        }
        sessions.filter = filter(&sessions, &mut random);
        sessions.field = ["CREATED_AT", "UPDATED_AT", "NAME", "STATUS"].choose(&mut random).unwrap();
        sessions.descending = random.random();
        check_pages(&app, &mut sessions, &mut random).await;
    }
}

#[derive(Debug, Clone)]
struct Row {
    id: String,
    name: Option<&'static str>,
    status: Option<&'static str>,
    phone: Option<&'static str>,
    created: Option<&'static str>,
    updated: Option<&'static str>,
}

struct Sessions {
    rows: Vec<Row>,
    filter: Value,
    field: &'static str,
    descending: bool,
}

const STATUSES: [&str; 5] = ["connected", "connecting", "qr_pending", "disconnected", "banned"];
const NAMES: [&str; 5] = ["alpha", "alphabet", "beta", "b%ta", "b_ta"];
const TIMES: [&str; 4] =
    ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z", "2026-01-01T00:00:01.500Z", "2026-02-01T00:00:00.000Z"];

impl Row {
    fn displayed_name(&self) -> &str {
        self.name.or(self.phone).unwrap_or(&self.id[..8])
    }

    fn stale(&self) -> bool {
        self.phone.is_none() && STATUSES[1..4].iter().any(|status| self.status == Some(status))
    }

    /// Returns whether the session meets a condition of the filter, by this file's own implementation of the filter.
    fn meets_condition(&self, field: &str, wanted: &Value) -> bool {
        let text = || wanted.as_str().unwrap();
        let among = |value: &str| wanted.as_array().unwrap().iter().any(|one| one == value);
        match field {
            "ids" => among(&self.id),
            "statuses" => among(match self.status {
                Some(known) if STATUSES[..4].contains(&known) => known.to_uppercase().leak(),
                _ => "OTHER",
            }),
            "stale" => *wanted == self.stale(),
            "hasPhoneNumber" => *wanted == self.phone.is_some(),
            "search" => [self.name, self.phone, Some(&self.id)]
                .into_iter()
                .flatten()
                .any(|field| field.to_lowercase().contains(&text().to_lowercase())),
            "createdBefore" => self.created.is_some_and(|time| time < text()),
            "createdAfter" => self.created.is_some_and(|time| time > text()),
            "updatedBefore" => self.updated.is_some_and(|time| time < text()),
            "updatedAfter" => self.updated.is_some_and(|time| time > text()),
            _ => panic!("{field}"),
        }
    }
}

impl Sessions {
    async fn add(&mut self, app: &TestApp, random: &mut StdRng) {
        let some =
            |random: &mut StdRng, of: &[&'static str]| (!random.random_bool(0.25)).then(|| *of.choose(random).unwrap());
        let row = Row {
            id: Uuid::from_u128(random.random()).to_string(),
            name: some(random, &NAMES),
            status: some(random, &STATUSES),
            phone: some(random, &["1555", "1556"]),
            created: some(random, &TIMES),
            updated: some(random, &TIMES),
        };
        let values = [Some(row.id.as_str()), row.name, row.status, row.phone, row.created, row.updated];
        let values = values.map(|value| value.map_or_else(|| "NULL".to_owned(), |value| format!("'{value}'")));
        app.db.exec(&format!("INSERT INTO whatsapp_sessions VALUES ({})", values.join(", "))).await;
        self.rows.push(row);
    }
}

impl Model for Sessions {
    fn query(&self) -> (String, String) {
        (
            ", $filter: SessionFilter, $order: SessionOrder".to_owned(),
            "sessions(filter: $filter, orderBy: $order".to_owned(),
        )
    }

    fn variables(&self) -> Value {
        let direction = if self.descending { "DESC" } else { "ASC" };
        json!({ "filter": self.filter, "order": { "field": self.field, "direction": direction } })
    }

    fn descending(&self) -> bool {
        self.descending
    }

    fn rows(&self) -> Vec<Place> {
        let wanted = self.filter.as_object().unwrap();
        let met = |row: &&Row| wanted.iter().all(|(field, value)| row.meets_condition(field, value));
        let value = |row: &Row| match self.field {
            "CREATED_AT" => row.created.map(str::to_owned),
            "UPDATED_AT" => row.updated.map(str::to_owned),
            "NAME" => Some(row.displayed_name().to_owned()),
            _ => Some(row.status.unwrap_or_default().to_owned()),
        };
        self.rows.iter().filter(met).map(|row| (value(row), row.id.clone())).collect()
    }

    async fn change_rows(&mut self, app: &TestApp, random: &mut StdRng) {
        if random.random() {
            self.add(app, random).await;
        } else if !self.rows.is_empty() {
            let deleted = self.rows.swap_remove(random.random_range(0..self.rows.len()));
            app.db.exec(&format!("DELETE FROM whatsapp_sessions WHERE id = '{}'", deleted.id)).await;
        }
    }
}

/// Returns a random filter with any number of conditions.
fn filter(sessions: &Sessions, random: &mut StdRng) -> Value {
    let mut filter = json!({});
    for field in [
        "ids",
        "statuses",
        "stale",
        "hasPhoneNumber",
        "search",
        "createdBefore",
        "createdAfter",
        "updatedBefore",
        "updatedAfter",
    ] {
        if !random.random_bool(0.15) {
            continue;
        }
        filter[field] = match field {
            "ids" => sessions.rows.iter().filter(|_| random.random()).map(|row| json!(row.id)).collect(),
            "statuses" => ["CONNECTED", "CONNECTING", "QR_PENDING", "DISCONNECTED", "OTHER"]
                .into_iter()
                .filter(|_| random.random())
                .map(|status| json!(status))
                .collect(),
            "stale" | "hasPhoneNumber" => json!(random.random::<bool>()),
            "search" => json!(["ALPHA", "%", "_", "b", "56", "", "-4", "nothing", "^a", "*"].choose(random).unwrap()),
            _ => json!(TIMES.choose(random).unwrap()),
        };
    }
    filter
}
