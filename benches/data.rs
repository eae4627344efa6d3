//! The databases S and M: the schema as `session-admin migrate` leaves it, filled by the database itself.

use std::time::Duration;

use api::db::{Database, DatabaseSettings};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::server::with_database;

/// How large a database is, and how often it is measured.
pub struct Size {
    pub name: &'static str,
    sessions: u32,
    groups: u32,
    /// Turns of each side for impacts.
    pub runs: usize,
    /// Turns of each side for deletions.
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

/// Builds the database and gives its URL.
pub async fn build(server: &str, size: &Size) -> String {
    forget(server, size).await;
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
    tidy(&db).await;
    db.close().await.unwrap();
    url
}

/// Drops the database.
pub async fn forget(server: &str, size: &Size) {
    let admin = connect(server).await;
    let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", size.database());
    admin.pool().execute_unprepared(&drop).await.unwrap();
    admin.close().await.unwrap();
}

/// The program's own pool, without a limit on the time of a statement.
pub async fn connect(url: &str) -> Database {
    let settings = DatabaseSettings {
        query_timeout: Duration::from_hours(1),
        deletion_timeout: Duration::from_hours(1),
        ..DatabaseSettings::new(url)
    };
    Database::connect(settings).await.unwrap()
}

/// Removes what a rolled-back deletion leaves behind, so that the next one meets the same tables.
pub async fn tidy(db: &Database) {
    db.pool().execute_unprepared("VACUUM ANALYZE").await.unwrap();
}

/// Ids of sessions.
pub async fn ids(db: &Database, which: &str) -> Vec<Uuid> {
    let sql = format!("SELECT id FROM whatsapp_sessions {which}");
    let rows = db.pool().query_all_raw(db.dialect().statement(sql, [])).await.unwrap();
    rows.iter().map(|row| row.try_get("", "id").unwrap()).collect()
}

/// The one number that a query gives.
pub async fn number(db: &Database, sql: &str) -> i64 {
    let row = db.pool().query_one_raw(db.dialect().statement(sql, [])).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// The bytes of the rows that go with these sessions, without their indexes.
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
    // A row's header and its pointer are not in pg_column_size of a whole row as it is written.
    let sizes = tables.map(|(table, column, of)| {
        format!("SELECT coalesce(sum(pg_column_size(c.*) + 4), 0)::bigint AS n FROM {table} c WHERE {column} IN ({of})")
    });
    number(db, &format!("SELECT sum(n)::bigint FROM ({}) sizes", sizes.join(" UNION ALL "))).await
}
