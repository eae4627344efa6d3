//! Tests of pages of groups in an adopted database whose columns may all be null: the list of all groups, and the lists
//! of several sessions read together.

use api::db::Dialect;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Model, Place, check_pages, expected_page, ordered_rows, random, seeds};
use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(long Empty: pages_of_each_session_s_groups_are_what_the_model_says, pages_of_groups_are_what_the_model_says);

const SESSIONS: [&str; 3] = [
    "10000000-0000-4000-8000-000000000001",
    "20000000-0000-4000-8000-000000000002",
    "30000000-0000-4000-8000-000000000003",
];
const NAMES: [&str; 4] = ["alpha", "alphabet", "b%ta", "b_ta"];
const TIMES: [&str; 3] = ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.500Z", "2026-02-01T00:00:00.000Z"];

/// Creates the two tables. The groups' name is NOT NULL in some of the databases, which changes how they are sorted.
async fn create_adopted_tables(db: TestDb, filled_names: bool) -> TestApp {
    let (id, time) = match db.dialect() {
        Dialect::Postgres => ("uuid", "timestamptz"),
        Dialect::Sqlite => ("text", "text"),
    };
    let filled = if filled_names { "NOT NULL" } else { "" };
    db.exec(&format!(
        "CREATE TABLE whatsapp_sessions (id {id} PRIMARY KEY, status text, phone_number text); \
         CREATE TABLE whatsapp_groups (id {id} PRIMARY KEY, session_id {id} REFERENCES whatsapp_sessions (id), \
           group_name text {filled}, group_jid text, participant_count integer, created_at {time}); \
         INSERT INTO whatsapp_sessions (id) VALUES ('{}'), ('{}'), ('{}')",
        SESSIONS[0], SESSIONS[1], SESSIONS[2]
    ))
    .await;
    TestApp::over(db).await
}

async fn pages_of_groups_are_what_the_model_says(db: TestDb) {
    let app = create_adopted_tables(db, false).await;
    for seed in seeds(40) {
        println!("PROPERTY_SEED={} walks {seed}", seed / 1_000);
        let mut random = random(seed);
        let mut groups = Groups::new(&app, &mut random, false).await;
        check_pages(&app, &mut groups, &mut random).await;
    }
}

async fn pages_of_each_session_s_groups_are_what_the_model_says(db: TestDb) {
    let app = create_adopted_tables(db, true).await;
    for seed in seeds(15) {
        println!("PROPERTY_SEED={} reads {seed}", seed / 1_000);
        let mut random = random(seed);
        let groups = Groups::new(&app, &mut random, true).await;
        // The bounds come from the cursors of all rows, so that lists also begin and end at rows of other sessions.
        let cursors = groups.fetch_cursors(&app).await;
        for _ in 0..5 {
            let mut bound = |chance| random.random_bool(chance).then(|| cursors.choose(&mut random).cloned()).flatten();
            let (from, to) = (bound(0.7), bound(0.3));
            let (size, backwards) = (random.random_range(0..6), random.random());
            groups.check_each_session(&app, size, backwards, from.as_ref(), to.as_ref()).await;
        }
    }
}

#[derive(Debug, Clone)]
struct Row {
    id: String,
    session: &'static str,
    name: Option<&'static str>,
    jid: Option<&'static str>,
    participants: Option<u8>,
    created: Option<&'static str>,
}

impl Row {
    fn random(random: &mut StdRng, filled_names: bool) -> Self {
        let mut some =
            |values: &[&'static str], chance| random.random_bool(chance).then(|| *values.choose(random).unwrap());
        Self {
            session: some(&SESSIONS, 1.0).unwrap(),
            name: some(&NAMES, if filled_names { 1.0 } else { 0.7 }),
            jid: some(&["15@g.us", "16@g.us"], 0.7),
            created: some(&TIMES, 0.7),
            participants: random.random_bool(0.7).then(|| random.random_range(1..4)),
            id: Uuid::from_u128(random.random()).to_string(),
        }
    }

    fn meets_condition(&self, field: &str, wanted: &Value) -> bool {
        let among = |value: &str| wanted.as_array().unwrap().iter().any(|one| one == value);
        let part = || wanted.as_str().unwrap().to_lowercase();
        match field {
            "ids" => among(&self.id),
            "sessionIds" => among(self.session),
            "search" => [self.name, self.jid, Some(&self.id)].into_iter().flatten().any(|text| text.contains(&part())),
            _ => panic!("{field}"),
        }
    }
}

#[derive(Debug, Clone)]
struct Groups {
    rows: Vec<Row>,
    filled_names: bool,
    /// The session whose groups the list contains. `None` stands for all groups.
    session_id: Option<&'static str>,
    filter: Value,
    field: &'static str,
    descending: bool,
}

impl Groups {
    async fn new(app: &TestApp, random: &mut StdRng, filled_names: bool) -> Self {
        app.db.exec("DELETE FROM whatsapp_groups").await;
        let field = ["NAME", "PARTICIPANT_COUNT", "CREATED_AT"].choose(random).unwrap();
        let mut groups = Self {
            rows: Vec::new(),
            filled_names,
            session_id: None,
            filter: json!({}),
            field,
            descending: random.random(),
        };
        for _ in 0..random.random_range(0..25) {
            groups.add(app, random).await;
        }
        if random.random_bool(0.2) {
            groups.filter["ids"] = groups.rows.iter().filter(|_| random.random()).map(|row| json!(row.id)).collect();
        }
        if random.random_bool(0.2) {
            groups.filter["sessionIds"] = SESSIONS.iter().filter(|_| random.random()).map(|id| json!(id)).collect();
        }
        if random.random_bool(0.3) {
            groups.filter["search"] = json!(["ALPHA", "%", "_", "15@", "", "-4", "nothing"].choose(random).unwrap());
        }
        groups
    }

    async fn add(&mut self, app: &TestApp, random: &mut StdRng) {
        let row = Row::random(random, self.filled_names);
        let participants = row.participants.map(|count| count.to_string());
        let values =
            [Some(row.id.as_str()), Some(row.session), row.name, row.jid, participants.as_deref(), row.created];
        let values = values.map(|value| value.map_or_else(|| "NULL".to_owned(), |value| format!("'{value}'")));
        let columns = "id, session_id, group_name, group_jid, participant_count, created_at";
        app.db.exec(&format!("INSERT INTO whatsapp_groups ({columns}) VALUES ({})", values.join(", "))).await;
        self.rows.push(row);
    }

    /// Returns the cursors and positions of all rows.
    async fn fetch_cursors(&self, app: &TestApp) -> Vec<(String, Place)> {
        let unfiltered = Self { filter: json!({}), ..self.clone() };
        let query = "query Q($order: GroupOrder) { groups(orderBy: $order, first: 100) { edges { cursor } } }";
        let data = app.data(query, unfiltered.variables()).await;
        let cursors = data["groups"]["edges"].as_array().unwrap();
        cursors.iter().map(|edge| edge["cursor"].as_str().unwrap().to_owned()).zip(ordered_rows(&unfiltered)).collect()
    }

    /// Reads the same page of each session's groups, and compares it with the model.
    async fn check_each_session(
        &self,
        app: &TestApp,
        size: usize,
        backwards: bool,
        from: Option<&(String, Place)>,
        to: Option<&(String, Place)>,
    ) {
        let query = "query Q($filter: GroupFilter, $order: GroupOrder, $first: Int, $after: String, $last: Int, $before: String) {
            sessions { nodes { id groups(filter: $filter, orderBy: $order, first: $first, after: $after, last: $last, before: $before) {
                totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage } } } } }";
        let mut variables = self.variables();
        let (size_of, start, end) = if backwards { ("last", "before", "after") } else { ("first", "after", "before") };
        let cursor = |place: Option<&(String, Place)>| place.map(|(cursor, _)| cursor.clone());
        variables[size_of] = json!(size);
        variables[start] = json!(cursor(from));
        variables[end] = json!(cursor(to));
        let data = app.data(query, variables.clone()).await;
        for session in SESSIONS {
            let sessions = data["sessions"]["nodes"].as_array().unwrap();
            let list = &sessions.iter().find(|node| node["id"] == session).unwrap()["groups"];
            let model = Self { session_id: Some(session), ..self.clone() };
            let expected = expected_page(&model, size, backwards, from, to);
            let nodes: Vec<_> = expected.ids.iter().map(|id| json!({ "id": id })).collect();
            let info = json!({ "hasNextPage": expected.has_next, "hasPreviousPage": expected.has_previous });
            let expected = json!({ "totalCount": model.rows().len(), "nodes": nodes, "pageInfo": info });
            assert_eq!(*list, expected, "{session} {variables}");
        }
    }
}

impl Model for Groups {
    fn query(&self) -> (String, String) {
        (", $filter: GroupFilter, $order: GroupOrder".to_owned(), "groups(filter: $filter, orderBy: $order".to_owned())
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
        let met = |row: &&Row| {
            self.session_id.is_none_or(|session| session == row.session)
                && wanted.iter().all(|(field, value)| row.meets_condition(field, value))
        };
        let value = |row: &Row| match self.field {
            "NAME" => Some(row.name.or(row.jid).unwrap_or(&row.id[..8]).to_owned()),
            "PARTICIPANT_COUNT" => row.participants.map(|count| count.to_string()),
            _ => row.created.map(str::to_owned),
        };
        self.rows.iter().filter(met).map(|row| (value(row), row.id.clone())).collect()
    }

    async fn change_rows(&mut self, app: &TestApp, random: &mut StdRng) {
        if random.random() {
            self.add(app, random).await;
        } else if !self.rows.is_empty() {
            let deleted = self.rows.swap_remove(random.random_range(0..self.rows.len()));
            app.db.exec(&format!("DELETE FROM whatsapp_groups WHERE id = '{}'", deleted.id)).await;
        }
    }
}
