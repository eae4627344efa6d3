//! The rendered schema is the legacy one, as the catalogue sees it.

use super::connection::RawConnection;
use super::legacy::{Legacy, Rule, Rules};
use super::{TestDb, database::Contents, on_both};
use api::db::Dialect;

/// Columns, constraints and indexes of the business tables.
const CATALOGUE: &str = "
    SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
           || coalesce(pg_get_expr(d.adbin, d.adrelid), 'no default') || ' ' || a.attnum
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    ORDER BY 1, 2, 3";

#[tokio::test]
async fn postgres_rendered_schema_is_the_legacy_one() {
    let Some(schema) = super::legacy_file("schema.sql") else {
        super::skip_comparison("the legacy schema does not lie beside the repository");
        return;
    };
    let (Some(theirs), Some(ours)) = (TestDb::postgres(Contents::Empty).await, TestDb::postgres(Contents::Empty).await)
    else {
        return;
    };
    theirs.exec(&schema).await;
    ours.exec_all(&Legacy::new(Rules::as_built()).statements(Dialect::Postgres)).await;
    let expected = theirs.rows(CATALOGUE).await;
    assert_eq!(expected.iter().filter(|row| row[0] == "column").count(), 63);
    assert_eq!(ours.rows(CATALOGUE).await, expected);
}

on_both!(Empty: every_liberty_of_an_adopted_database_is_accepted);

async fn every_liberty_of_an_adopted_database_is_accepted(db: TestDb) {
    let legacy = Legacy::new(Rules::first_fix().with("webinars", "whatsapp_group_id", Rule::Restrict))
        .in_schema("Host's")
        .constraint_named("webinars", "whatsapp_group_id", "webinar \"main\" group")
        .doubled("webinars", "whatsapp_group_id", "second", Rule::SetDefault)
        .enum_status()
        .nullable_timestamps()
        .timestamps_without_zone()
        .extra_column("whatsapp_sessions", "label text GENERATED ALWAYS AS (lower(session_name)) STORED")
        .without_table("workshops")
        .without_column("whatsapp_groups", "participant_count");
    db.exec_all(&legacy.statements(db.dialect())).await;
    let keys = foreign_keys_of_webinars(&mut db.raw().await).await;
    assert_eq!(keys, [["community_group_id", "n"], ["whatsapp_group_id", "d"], ["whatsapp_group_id", "r"]]);
    let sessions = legacy.qualified(db.dialect(), "whatsapp_sessions");
    db.exec(&format!("INSERT INTO {sessions} (session_name, created_at) VALUES ('Abc', NULL)")).await;
    let rows = db.rows(&format!("SELECT label, created_at, length(CAST(id AS text)) FROM {sessions}")).await;
    assert_eq!(rows, [["abc", "NULL", "36"]]);
}

/// Column and rule (its first letter, as `pg_constraint` has it).
async fn foreign_keys_of_webinars(connection: &mut RawConnection) -> Vec<Vec<String>> {
    let sql = match connection {
        RawConnection::Postgres(_) => {
            "SELECT attname, confdeltype FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
             WHERE contype = 'f' AND conrelid = '\"Host''s\".webinars'::regclass ORDER BY 1, 2"
        }
        RawConnection::Sqlite(_) => {
            "SELECT \"from\", CASE on_delete WHEN 'SET NULL' THEN 'n' WHEN 'SET DEFAULT' THEN 'd' WHEN 'RESTRICT' THEN 'r' END
             FROM pragma_foreign_key_list('webinars') ORDER BY 1, 2"
        }
    };
    connection.rows(sql).await
}
