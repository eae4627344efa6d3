//! Tests that `migrate --yes` brings a deployment from any initial state to the final one.

use api::demo::scenario;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;

use super::{STALE, assert_migrates_and_purges, assert_sound, left_without};
use crate::cli::{document, run};
use crate::migration::fetch_catalog;
use crate::support::legacy::{Legacy, Rule, Rules};
use crate::support::legacy_tables::TABLES;
use crate::support::{TestDb, on_both};

on_both!(AsBuilt:
    from_the_state_as_built_to_the_goal,
    the_status_changes_nothing,
    a_second_run_finds_nothing_to_do_and_asks_nothing,
);
on_both!(FirstFix: from_the_first_fix_to_the_goal);
on_both!(Mended: from_the_goal_to_the_goal);
on_both!(Empty:
    from_all_restrict_to_the_goal,
    from_all_cascade_to_the_goal,
    from_all_set_null_to_the_goal,
    from_all_set_default_to_the_goal,
    from_one_random_mixture_to_the_goal,
    from_another_random_mixture_to_the_goal,
);

async fn from_the_state_as_built_to_the_goal(db: TestDb) {
    assert_migrates_and_purges(&db).await;
}

async fn from_the_first_fix_to_the_goal(db: TestDb) {
    assert_migrates_and_purges(&db).await;
}

async fn from_the_goal_to_the_goal(db: TestDb) {
    assert_migrates_and_purges(&db).await;
}

async fn from_all_restrict_to_the_goal(db: TestDb) {
    migrate_from_rules(&db, |_| Rule::Restrict).await;
}

async fn from_all_cascade_to_the_goal(db: TestDb) {
    migrate_from_rules(&db, |_| Rule::Cascade).await;
}

async fn from_all_set_null_to_the_goal(db: TestDb) {
    migrate_from_rules(&db, |_| Rule::SetNull).await;
}

async fn from_all_set_default_to_the_goal(db: TestDb) {
    migrate_from_rules(&db, |_| Rule::SetDefault).await;
}

async fn from_one_random_mixture_to_the_goal(db: TestDb) {
    migrate_from_random_rules(&db, 1).await;
}

async fn from_another_random_mixture_to_the_goal(db: TestDb) {
    migrate_from_random_rules(&db, 2).await;
}

async fn migrate_from_random_rules(db: &TestDb, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    migrate_from_rules(db, |_| choose_rule(&mut random)).await;
}

fn choose_rule(random: &mut impl Rng) -> Rule {
    let rules = [Rule::None, Rule::Cascade, Rule::SetNull, Rule::SetDefault, Rule::Restrict];
    rules[random.random_range(0..rules.len())]
}

/// Creates a deployment with a chosen rule for each reference to a group or a session, and migrates it.
async fn migrate_from_rules(db: &TestDb, mut rule: impl FnMut(&str) -> Rule) {
    let mut rules = Rules::as_built();
    for (table, column) in TABLES.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column))) {
        if matches!(column.refers_to, Some("whatsapp_groups" | "whatsapp_sessions")) {
            rules = rules.with(table.name, column.name, rule(table.name));
        }
    }
    db.exec_all(&Legacy::new(rules).statements(db.dialect())).await;
    db.exec_all(&scenario::statements(db.dialect(), None)).await;
    assert_migrates_and_purges(db).await;
}

async fn the_status_changes_nothing(db: TestDb) {
    let before = (fetch_catalog(&db).await, super::rows_now(&db).await);
    let (code, status) = document(&db, &["migrate", "--status"]);
    assert_eq!((code, &status["applied"]), (0, &json!([])));
    assert_eq!((fetch_catalog(&db).await, super::rows_now(&db).await), before);
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let after = (fetch_catalog(&db).await, super::rows_now(&db).await);
    let (code, status) = document(&db, &["migrate", "--status"]);
    assert_eq!((code, &status["pending"]), (0, &json!([])));
    assert_eq!((fetch_catalog(&db).await, super::rows_now(&db).await), after);
}

async fn a_second_run_finds_nothing_to_do_and_asks_nothing(db: TestDb) {
    let left = left_without(&db, STALE).await;
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let after = fetch_catalog(&db).await;
    // Without `--yes` and without a terminal, any prompt would be an error.
    let again = run(&db, &["migrate"]);
    assert_eq!((again.code, again.stdout.as_str(), again.stderr.as_str()), (0, "Nothing is pending.\n", ""));
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    assert_eq!(fetch_catalog(&db).await, after);
    assert_sound(&db, &left).await;
}
