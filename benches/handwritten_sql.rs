//! The best known hand-written SQL for one known schema, which does not have to read the catalogue.
//!
//! Each query counts distinct rows by table, like the impact.

use api::db::Database;
use api::db::ids_parameter;
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// The table and the column of every foreign key to a group. `webinars` is left out, because its two columns need a
/// separate query.
const REFERENCES: [(&str, &str); 9] = [
    ("notification_campaign_groups", "group_id"),
    ("webinar_whatsapp_groups", "group_id"),
    ("scheduled_webinar_messages", "group_id"),
    ("scheduled_whatsapp_messages", "group_id"),
    ("workshops", "whatsapp_group_id"),
    ("workshop_whatsapp_groups", "group_id"),
    ("workshop_group_members", "group_id"),
    ("whatsapp_group_admins", "group_id"),
    ("dynamic_links", "whatsapp_group_id"),
];

fn union(write: impl Fn(usize, &str, &str) -> String) -> String {
    let parts = REFERENCES.iter().enumerate().map(|(number, (table, column))| write(number, table, column));
    parts.collect::<Vec<_>>().join(" UNION ALL ")
}

async fn run(db: &Database, sql: String, parameter: String) {
    assert!(!db.pool().query_all_raw(db.dialect().statement(sql, [parameter.into()])).await.unwrap().is_empty());
}

/// Counts the impact of one session, with its groups' ids in one array.
pub async fn one(db: &Database, id: Uuid) {
    let counts = union(|number, table, column| {
        format!("SELECT {number}, count(*) FROM {table}, ids WHERE {column} = ANY (list)")
    });
    let sql = format!(
        "WITH ids AS MATERIALIZED (SELECT array_agg(id) AS list FROM whatsapp_groups WHERE session_id = $1::uuid) {counts} \
         UNION ALL SELECT 9, count(*) FROM webinars, ids WHERE whatsapp_group_id = ANY (list) OR community_group_id = ANY (list) \
         UNION ALL SELECT 10, coalesce(cardinality(list), 0) FROM ids"
    );
    run(db, sql, id.to_string()).await;
}

/// Counts the impact of each session of a page, with one join for each table and one pivot.
pub async fn page(db: &Database, ids: &[Uuid]) {
    let counts = union(|number, table, column| {
        format!(
            "SELECT g.session_id, {number} AS k, count(*) AS n FROM {table} c JOIN g ON g.id = c.{column} GROUP BY g.session_id"
        )
    });
    let pivot: String = (0..11).map(|number| format!(", max(n) FILTER (WHERE k = {number})")).collect();
    let sql = format!(
        "WITH page AS MATERIALIZED (SELECT value::uuid AS id FROM jsonb_array_elements_text($1::jsonb)), \
         g AS MATERIALIZED (SELECT g.id, g.session_id FROM page JOIN whatsapp_groups g ON g.session_id = page.id ORDER BY g.id) \
         SELECT session_id{pivot} FROM ({counts} \
         UNION ALL SELECT session_id, 9, count(*) FROM \
         (SELECT g.session_id, c.id FROM webinars c JOIN g ON g.id = c.whatsapp_group_id \
          UNION SELECT g.session_id, c.id FROM webinars c JOIN g ON g.id = c.community_group_id) w GROUP BY session_id \
         UNION ALL SELECT session_id, 10, count(*) FROM g GROUP BY session_id) counted GROUP BY session_id"
    );
    run(db, sql, ids_parameter(ids)).await;
}

/// Counts the impact of all stale sessions, with the groups joined to all referencing columns at once.
pub async fn stale(db: &Database) {
    let columns = union(|number, table, column| format!("SELECT {column} AS id, {number} AS k FROM {table}"));
    let sql = format!(
        "WITH g AS NOT MATERIALIZED (SELECT g.id FROM whatsapp_sessions s JOIN whatsapp_groups g ON g.session_id = s.id \
         WHERE s.status = ANY (string_to_array($1, ',')) AND s.phone_number IS NULL) \
         SELECT k, count(*) FROM ({columns}) c JOIN g USING (id) GROUP BY k \
         UNION ALL SELECT 9, count(*) FROM (SELECT c.id FROM webinars c JOIN g ON g.id = c.whatsapp_group_id \
         UNION SELECT c.id FROM webinars c JOIN g ON g.id = c.community_group_id) w \
         UNION ALL SELECT 10, count(*) FROM g"
    );
    run(db, sql, "qr_pending,connecting,disconnected".to_owned()).await;
}
