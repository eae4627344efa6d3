//! Tests that every variation of the legacy schema is valid SQL in both dialects.

use super::connection::RawConnection;
use super::legacy::{Legacy, Rule, Rules};
use super::{TestDb, on_both};

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

/// Returns the column and the rule of each foreign key of `webinars`. A rule is one letter, as in `confdeltype`.
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
