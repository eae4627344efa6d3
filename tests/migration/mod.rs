//! Tests of the executable's `migrate` on databases that others have built, changed and used.

mod columns;
mod constraints;
mod crash_recovery;
mod destructive_commands;
mod indexes;
mod internal_tables;
mod locks;
mod objects;
mod orphans;
mod queue;
mod roles;
mod schemas;

use crate::support::TestDb;

/// Every reference to a group or a session (table and column), with its ON DELETE rule after all migrations.
pub(crate) const FINAL_RULES: [[&str; 3]; 12] = [
    ["dynamic_links", "whatsapp_group_id", "SET NULL"],
    ["notification_campaign_groups", "group_id", "CASCADE"],
    ["scheduled_webinar_messages", "group_id", "CASCADE"],
    ["scheduled_whatsapp_messages", "group_id", "CASCADE"],
    ["webinar_whatsapp_groups", "group_id", "CASCADE"],
    ["webinars", "community_group_id", "SET NULL"],
    ["webinars", "whatsapp_group_id", "SET NULL"],
    ["whatsapp_group_admins", "group_id", "CASCADE"],
    ["whatsapp_groups", "session_id", "CASCADE"],
    ["workshop_group_members", "group_id", "SET NULL"],
    ["workshop_whatsapp_groups", "group_id", "CASCADE"],
    ["workshops", "whatsapp_group_id", "SET NULL"],
];

/// Returns the foreign keys to groups and sessions in the catalog: table, column, and ON DELETE rule. The rule of a key
/// that is not validated ends in NOT VALID.
pub(crate) async fn fetch_rules(db: &TestDb, schema: &str) -> Vec<Vec<String>> {
    let sql = if db.url().starts_with("sqlite") {
        "SELECT t.name, lower(k.\"from\"), k.on_delete FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS k
         WHERE t.type = 'table' AND lower(k.\"table\") IN ('whatsapp_groups', 'whatsapp_sessions') ORDER BY 1, 2, 3"
            .to_owned()
    } else {
        format!(
            "SELECT t.relname, a.attname,
               CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
                 WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END || CASE WHEN k.convalidated THEN '' ELSE ' NOT VALID' END
             FROM pg_constraint AS k JOIN pg_class AS t ON t.oid = k.conrelid
               JOIN pg_class AS p ON p.oid = k.confrelid JOIN pg_namespace AS n ON n.oid = p.relnamespace
               JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
             WHERE k.contype = 'f' AND n.nspname = '{schema}' AND p.relname IN ('whatsapp_groups', 'whatsapp_sessions')
             ORDER BY t.relname COLLATE \"C\", a.attname COLLATE \"C\", 3"
        )
    };
    db.rows(&sql).await
}

/// Returns all objects in the database's catalog, with their ids where there are any, so that a recreated object
/// differs.
pub(crate) async fn fetch_catalog(db: &TestDb) -> Vec<Vec<String>> {
    db.rows(if db.url().starts_with("sqlite") {
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2"
    } else {
        "SELECT 'schema', oid::text, nspname FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
         UNION ALL SELECT 'relation', c.oid::text, c.relnamespace::regnamespace || '.' || c.relname || c.relkind::text
           FROM pg_class AS c WHERE c.relnamespace::regnamespace::text !~ '^(pg_|information_schema)'
         UNION ALL SELECT 'constraint', oid::text, conname || pg_get_constraintdef(oid) FROM pg_constraint
         UNION ALL SELECT 'index', indexrelid::text, pg_get_indexdef(indexrelid) || indisvalid::text FROM pg_index
           WHERE indexrelid > 16383
         ORDER BY 1, 2"
    })
    .await
}
