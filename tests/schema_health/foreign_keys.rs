//! Tests of findings about the foreign keys themselves.

use api::catalog::Action;
use api::db::Dialect;
use api::schema_health::{FindingCode, Severity};

use super::{Facts, apply_fix, create_legacy, diagnose_all, find_facts, find_finding};
use crate::support::legacy::{Legacy, Rule, Rules};
use crate::support::{TestDb, on_both, steps};

on_both!(AsBuilt:
    five_references_block_as_built,
    a_blocking_reference_is_mended_by_the_expected_rule,
    a_blocking_reference_is_mended_by_the_other_rule,
    every_key_that_a_deletion_reaches_is_listed_and_no_other,
);
on_both!(FirstFix: the_first_fix_contradicts_its_column, the_contradiction_is_mended_either_way);
on_both!(Mended: the_goal_has_warnings_only, an_index_mends_a_reference_without_one);
on_both!(Empty:
    a_set_default_that_leads_nowhere_blocks,
    two_keys_with_one_rule_are_a_warning,
    two_keys_with_two_rules_are_an_error,
    another_rule_that_lets_deletions_through_is_a_warning,
    a_refusing_rule_in_place_of_the_expected_one_is_an_error,
    a_reference_without_a_key_is_an_error,
);

const CAMPAIGN_GROUPS: &str = "notification_campaign_groups.group_id";

async fn five_references_block_as_built(db: TestDb) {
    let health = diagnose_all(db.database().await).await;
    let blocking = health.findings.iter().filter(|finding| finding.code == FindingCode::BlocksDeletion);
    let blocking: Vec<_> =
        blocking.map(|finding| (finding.key.as_str(), finding.rows_at_risk, finding.fixes.len())).collect();
    let expected = [
        ("BLOCKS_DELETION:notification_campaign_groups.group_id", 100, 1),
        ("BLOCKS_DELETION:scheduled_webinar_messages.group_id", 60, 1),
        ("BLOCKS_DELETION:webinar_whatsapp_groups.group_id", 30, 1),
        ("BLOCKS_DELETION:webinars.community_group_id", 5, 2),
        ("BLOCKS_DELETION:webinars.whatsapp_group_id", 8, 2),
    ];
    assert_eq!(blocking, expected);
    assert!(!health.healthy);
    assert_eq!(health.pending_migrations.len(), steps());
}

async fn a_blocking_reference_is_mended_by_the_expected_rule(db: TestDb) {
    apply_fix(&db, "BLOCKS_DELETION:webinars.whatsapp_group_id", 0).await;
    if db.dialect() == Dialect::Postgres {
        // The fix to SET NULL comes first, because it is the expected rule of this column.
        assert_eq!(find_finding(&db, "RULE_DRIFT:webinars.whatsapp_group_id").await, None);
    }
}

async fn a_blocking_reference_is_mended_by_the_other_rule(db: TestDb) {
    apply_fix(&db, "BLOCKS_DELETION:webinars.whatsapp_group_id", 1).await;
}

async fn every_key_that_a_deletion_reaches_is_listed_and_no_other(db: TestDb) {
    let health = diagnose_all(db.database().await).await;
    let keys: Vec<_> =
        health.foreign_keys.iter().map(|key| (key.table.as_str(), key.columns[0].as_str(), key.on_delete)).collect();
    assert_eq!(keys.len(), 12);
    assert!(keys.contains(&("whatsapp_groups", "session_id", Action::Cascade)), "{keys:?}");
    assert!(!keys.iter().any(|(_, column, _)| *column == "webinar_id"), "{keys:?}");
    let campaigns = health.foreign_keys.iter().find(|key| key.table == "notification_campaign_groups").unwrap();
    assert_eq!((campaigns.nullable, campaigns.indexed, campaigns.validated), (false, false, true));
    assert_eq!(campaigns.referenced_table, "whatsapp_groups");
    assert_eq!(campaigns.referenced_columns, ["id"]);
}

async fn the_first_fix_contradicts_its_column(db: TestDb) {
    let fixes = if db.dialect() == Dialect::Postgres { 2 } else { 1 };
    let expected = Facts { code: FindingCode::SetNullOnNotNull, severity: Severity::Error, rows: 100, fixes };
    assert_eq!(find_facts(&db, &format!("SET_NULL_ON_NOT_NULL:{CAMPAIGN_GROUPS}")).await, expected);
    assert_eq!(find_finding(&db, &format!("BLOCKS_DELETION:{CAMPAIGN_GROUPS}")).await, None);
}

async fn the_contradiction_is_mended_either_way(db: TestDb) {
    let key = format!("SET_NULL_ON_NOT_NULL:{CAMPAIGN_GROUPS}");
    apply_fix(&db, &key, 0).await;
    if db.dialect() == Dialect::Postgres {
        db.exec(
            "ALTER TABLE notification_campaign_groups DROP CONSTRAINT notification_campaign_groups_group_id_fkey,
             ADD CONSTRAINT notification_campaign_groups_group_id_fkey FOREIGN KEY (group_id)
             REFERENCES whatsapp_groups (id) ON DELETE SET NULL",
        )
        .await;
        apply_fix(&db, &key, 1).await;
    }
}

#[tokio::test]
async fn postgres_a_domain_that_forbids_null_leaves_only_cascade() {
    let Some(db) = TestDb::postgres(crate::support::Contents::FirstFix).await else { return };
    db.exec(
        "CREATE DOMAIN reference AS uuid NOT NULL;
         ALTER TABLE notification_campaign_groups ALTER COLUMN group_id TYPE reference, ALTER COLUMN group_id DROP NOT NULL",
    )
    .await;
    let key = format!("SET_NULL_ON_NOT_NULL:{CAMPAIGN_GROUPS}");
    let expected = Facts { code: FindingCode::SetNullOnNotNull, severity: Severity::Error, rows: 100, fixes: 1 };
    assert_eq!(find_facts(&db, &key).await, expected);
    apply_fix(&db, &key, 0).await;
}

async fn the_goal_has_warnings_only(db: TestDb) {
    let health = diagnose_all(db.database().await).await;
    assert!(health.healthy);
    assert_eq!(health.findings.len(), 12);
    assert!(health.findings.iter().all(|finding| finding.code == FindingCode::UnindexedForeignKey));
}

async fn an_index_mends_a_reference_without_one(db: TestDb) {
    let key = "UNINDEXED_FOREIGN_KEY:whatsapp_groups.session_id";
    let expected = Facts { code: FindingCode::UnindexedForeignKey, severity: Severity::Warning, rows: 780, fixes: 1 };
    assert_eq!(find_facts(&db, key).await, expected);
    apply_fix(&db, key, 0).await;
}

async fn a_set_default_that_leads_nowhere_blocks(db: TestDb) {
    create_legacy(&db, &Legacy::new(Rules::mended().with("workshops", "whatsapp_group_id", Rule::SetDefault))).await;
    let key = "BLOCKS_DELETION:workshops.whatsapp_group_id";
    // Without a default the reference is set to null, which the column allows.
    assert_eq!(find_finding(&db, key).await, None);
    if db.dialect() == Dialect::Postgres {
        let nowhere =
            "ALTER TABLE workshops ALTER COLUMN whatsapp_group_id SET DEFAULT '00000000-0000-4000-8000-000000000000'";
        db.exec(nowhere).await;
        let expected = Facts { code: FindingCode::BlocksDeletion, severity: Severity::Error, rows: 6, fixes: 2 };
        assert_eq!(find_facts(&db, key).await, expected);
        apply_fix(&db, key, 0).await;
    }
}

async fn two_keys_with_one_rule_are_a_warning(db: TestDb) {
    create_legacy(&db, &Legacy::new(Rules::mended()).doubled("webinars", "whatsapp_group_id", "again", Rule::SetNull))
        .await;
    let key = "DUPLICATE_FOREIGN_KEY:webinars.whatsapp_group_id";
    let expected = Facts { code: FindingCode::DuplicateForeignKey, severity: Severity::Warning, rows: 8, fixes: 2 };
    assert_eq!(find_facts(&db, key).await, expected);
    apply_fix(&db, key, 0).await;
}

async fn two_keys_with_two_rules_are_an_error(db: TestDb) {
    create_legacy(&db, &Legacy::new(Rules::mended()).doubled("webinars", "whatsapp_group_id", "again", Rule::Restrict))
        .await;
    let key = "DUPLICATE_FOREIGN_KEY:webinars.whatsapp_group_id";
    let expected = Facts { code: FindingCode::DuplicateForeignKey, severity: Severity::Error, rows: 8, fixes: 2 };
    assert_eq!(find_facts(&db, key).await, expected);
    apply_fix(&db, key, 0).await;
    if db.dialect() == Dialect::Postgres {
        // The first fix keeps the key with the expected rule.
        assert_eq!(find_finding(&db, "BLOCKS_DELETION:webinars.whatsapp_group_id").await, None);
    }
}

async fn another_rule_that_lets_deletions_through_is_a_warning(db: TestDb) {
    create_legacy(&db, &Legacy::new(Rules::mended().with("workshops", "whatsapp_group_id", Rule::Cascade))).await;
    let key = "RULE_DRIFT:workshops.whatsapp_group_id";
    let expected = Facts { code: FindingCode::RuleDrift, severity: Severity::Warning, rows: 6, fixes: 1 };
    assert_eq!(find_facts(&db, key).await, expected);
    apply_fix(&db, key, 0).await;
}

async fn a_refusing_rule_in_place_of_the_expected_one_is_an_error(db: TestDb) {
    create_legacy(&db, &Legacy::new(Rules::mended().with("dynamic_links", "whatsapp_group_id", Rule::Restrict))).await;
    let key = "RULE_DRIFT:dynamic_links.whatsapp_group_id";
    let expected = Facts { code: FindingCode::RuleDrift, severity: Severity::Error, rows: 20, fixes: 1 };
    assert_eq!(find_facts(&db, key).await, expected);
    apply_fix(&db, key, 0).await;
}

async fn a_reference_without_a_key_is_an_error(db: TestDb) {
    create_legacy(&db, &Legacy::new(Rules::mended())).await;
    let id = if db.dialect() == Dialect::Postgres { "uuid" } else { "text" };
    db.exec(&format!(
        "DROP TABLE dynamic_links; CREATE TABLE dynamic_links (id {id} PRIMARY KEY, whatsapp_group_id {id})"
    ))
    .await;
    db.exec("INSERT INTO dynamic_links SELECT id, id FROM whatsapp_groups").await;
    let key = "RULE_DRIFT:dynamic_links.whatsapp_group_id";
    let expected = Facts { code: FindingCode::RuleDrift, severity: Severity::Error, rows: 780, fixes: 1 };
    assert_eq!(find_facts(&db, key).await, expected);
    apply_fix(&db, key, 0).await;
}
