//! The databases S and M, with the schema of `session-admin migrate` and generated rows.

use std::time::Duration;

use api::db::{Database, DatabaseSettings};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::server::with_database;

/// The size of a database and the numbers of measurements.
pub struct Size {
    pub name: &'static str,
    sessions: u32,
    groups: u32,
    /// The number of measurements of each side for impacts.
    pub runs: usize,
    /// The number of measurements of each side for deletions and restores.
    pub deletions: usize,
}

impl Size {
    pub fn named(name: &str) -> Self {
        match name {
            "S" => Self { name: "S", sessions: 200, groups: 60, runs: 41, deletions: 9 },
            "M" => Self { name: "M", sessions: 1_000, groups: 600, runs: 9, deletions: 5 },
            other => panic!("BENCH_SIZES is made of S and M, not {other}"),
        }
    }

    fn database(&self) -> String {
        format!("session_admin_bench_{}", self.name.to_lowercase())
    }
}

/// Creates and fills the database, and returns its URL.
pub async fn build(server: &str, size: &Size) -> String {
    drop_database(server, size).await;
    let url = with_database(server, &size.database());
    let admin = connect(server).await;
    admin.pool().execute_unprepared(&format!("CREATE DATABASE {}", size.database())).await.unwrap();
    admin.close().await.unwrap();
    let session = migration::MigrationSession::open(&url, "public", || {}).await.unwrap();
    session.apply_before_purge(&mut |_| {}).await.unwrap();
    session.apply_remaining(&mut |_| {}).await.unwrap();
    session.close().await.unwrap();
    let db = connect(&url).await;
    let half = (size.sessions * size.groups / 2).to_string();
    let fill = include_str!("data.sql").replace("$sessions", &size.sessions.to_string()).replace("$half", &half);
    db.pool().execute_unprepared(&fill).await.unwrap();
    vacuum(&db).await;
    db.close().await.unwrap();
    url
}

/// Drops the database.
pub async fn drop_database(server: &str, size: &Size) {
    let admin = connect(server).await;
    let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", size.database());
    admin.pool().execute_unprepared(&drop).await.unwrap();
    admin.close().await.unwrap();
}

/// Connects like the program, but with statement timeouts of an hour.
pub async fn connect(url: &str) -> Database {
    let settings = DatabaseSettings {
        query_timeout: Duration::from_hours(1),
        deletion_timeout: Duration::from_hours(1),
        ..DatabaseSettings::new(url)
    };
    Database::connect(settings).await.unwrap()
}

/// Vacuums the tables, so that dead rows of a rolled-back deletion do not affect the next measurement.
pub async fn vacuum(db: &Database) {
    db.pool().execute_unprepared("VACUUM ANALYZE").await.unwrap();
}

/// Returns the ids of the sessions that the SQL clauses in `which` select.
pub async fn ids(db: &Database, which: &str) -> Vec<Uuid> {
    let sql = format!("SELECT id FROM whatsapp_sessions {which}");
    let rows = db.pool().query_all_raw(db.dialect().statement(sql, [])).await.unwrap();
    rows.iter().map(|row| row.try_get("", "id").unwrap()).collect()
}

/// Returns the number that a query returns in its only row.
pub async fn number(db: &Database, sql: &str) -> i64 {
    let row = db.pool().query_one_raw(db.dialect().statement(sql, [])).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Returns the size in bytes of the rows that are deleted with these sessions, without indexes.
pub async fn row_bytes(db: &Database, ids: &[Uuid]) -> i64 {
    let ids: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    let sessions = format!("SELECT id FROM whatsapp_sessions WHERE id IN ({})", ids.join(", "));
    let groups = format!("SELECT id FROM whatsapp_groups WHERE session_id IN ({sessions})");
    let tables = [
        ("whatsapp_sessions", "id", &sessions),
        ("whatsapp_groups", "session_id", &sessions),
        ("whatsapp_group_admins", "group_id", &groups),
        ("notification_campaign_groups", "group_id", &groups),
        ("webinar_whatsapp_groups", "group_id", &groups),
        ("scheduled_webinar_messages", "group_id", &groups),
        ("scheduled_whatsapp_messages", "group_id", &groups),
        ("workshop_whatsapp_groups", "group_id", &groups),
    ];
    // The 4 bytes a row are the parts of its header and line pointer that pg_column_size of a whole row leaves out.
    let sizes = tables.map(|(table, column, of)| {
        format!("SELECT coalesce(sum(pg_column_size(c.*) + 4), 0)::bigint AS n FROM {table} c WHERE {column} IN ({of})")
    });
    number(db, &format!("SELECT sum(n)::bigint FROM ({}) sizes", sizes.join(" UNION ALL "))).await
}
