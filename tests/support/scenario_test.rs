//! The scenario in Rust is the legacy one: same rows, same relations, only made-up ids differ.

use super::database::Contents;
use super::legacy::{Legacy, Rules};
use super::legacy_tables::{Kind, TABLES, Table};
use super::{TestDb, on_both};
use api::db::Dialect;

#[tokio::test]
async fn postgres_scenario_is_the_legacy_one() {
    let Some(scenario) = super::legacy_file("scenario.sql") else {
        super::skip_comparison("the legacy scenario does not lie beside the repository");
        return;
    };
    let (Some(theirs), Some(ours)) =
        (TestDb::postgres(Contents::Empty).await, TestDb::postgres(Contents::AsBuilt).await)
    else {
        return;
    };
    theirs.exec_all(&Legacy::new(Rules::as_built()).statements(Dialect::Postgres)).await;
    theirs.exec(&format!("SET TimeZone = 'UTC'; {scenario}")).await;
    ours.exec("SET TimeZone = 'UTC'").await;
    for table in TABLES {
        let sql = by_natural_keys(table);
        let expected = theirs.rows(&sql).await;
        assert!(!expected.is_empty(), "{} is empty", table.name);
        assert_eq!(ours.rows(&sql).await, expected, "{}", table.name);
    }
}

/// Every column but the id; a reference as the name of the row that it points at. Times that the legacy script leaves to
/// `now()` cannot be compared.
fn by_natural_keys(table: &Table) -> String {
    let has_times = matches!(table.name, "whatsapp_sessions" | "whatsapp_groups");
    let id = if table.name == "whatsapp_sessions" { "t.id::text" } else { "''" };
    let values = table.columns[1..].iter().filter_map(|column| match column.refers_to {
        _ if column.name == "created_at" && !has_times => None,
        Some("whatsapp_sessions") => Some("t.session_id::text".to_owned()),
        Some(parent) => {
            let name = TABLES.iter().find(|table| table.name == parent).unwrap();
            let name =
                name.columns.iter().find(|column| matches!(column.name, "name" | "title" | "group_name")).unwrap();
            Some(format!("(SELECT {} FROM {parent} AS p WHERE p.id = t.{})", name.name, column.name))
        }
        None if column.kind == Kind::Timestamp => Some(format!("t.{}::text", column.name)),
        None => Some(format!("t.{}", column.name)),
    });
    let values = values.collect::<Vec<_>>().join(", ");
    format!("SELECT ROW({id}, {values})::text COLLATE \"C\" FROM {} AS t ORDER BY 1", table.name)
}

on_both!(Mended: purging_the_stale_sessions_takes_what_the_deployment_counted);

/// The numbers of the incident's report, by a plain DELETE under the mended rules.
async fn purging_the_stale_sessions_takes_what_the_deployment_counted(db: TestDb) {
    let mut before = Vec::new();
    for table in TABLES {
        before.push(db.count(table.name).await);
    }
    let unlinked = "SELECT (SELECT count(*) FROM webinars WHERE whatsapp_group_id IS NOT NULL),
        (SELECT count(*) FROM webinars WHERE community_group_id IS NOT NULL),
        (SELECT count(*) FROM workshops WHERE whatsapp_group_id IS NOT NULL),
        (SELECT count(*) FROM workshop_group_members WHERE group_id IS NOT NULL),
        (SELECT count(*) FROM dynamic_links WHERE whatsapp_group_id IS NOT NULL)";
    assert_eq!(db.rows(unlinked).await, [["8", "5", "6", "400", "20"]]);
    db.exec(
        "DELETE FROM whatsapp_sessions WHERE phone_number IS NULL
         AND status IN ('qr_pending', 'connecting', 'disconnected')",
    )
    .await;
    assert_eq!(db.rows(unlinked).await, [["3", "1", "2", "250", "9"]]);
    let mut gone = Vec::new();
    for (table, before) in TABLES.iter().zip(before) {
        gone.push((table.name, before - db.count(table.name).await));
    }
    gone.retain(|(_, rows)| *rows > 0);
    let expected = [
        ("whatsapp_sessions", 9),
        ("whatsapp_groups", 580),
        ("whatsapp_group_admins", 800),
        ("notification_campaign_groups", 37),
        ("webinar_whatsapp_groups", 12),
        ("scheduled_webinar_messages", 21),
        ("scheduled_whatsapp_messages", 44),
        ("workshop_whatsapp_groups", 9),
    ];
    assert_eq!(gone, expected);
}
