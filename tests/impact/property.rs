//! Property tests that the impact is exact, on random foreign-key graphs with random rows.
//!
//! The impact must equal the effect of a plain `DELETE FROM whatsapp_sessions` wherever the database allows that
//! statement. Where the database refuses it, either the impact reports blockers, or the program's own deletion succeeds
//! with exactly the impact's counts. A case that the impact reports as not deletable must be refused by both. After a
//! restore of the deletion, every row must be what it was.
//!
//! `PROPERTY_CASES` sets the number of cases on each database (default 20, or 200 in the long tests). `PROPERTY_SEED`
//! (a number, or `random`) sets the first seed; the n-th case has that seed plus n. A failing case is repeated with its
//! own seed and `PROPERTY_CASES=1`. The outcome of a plain DELETE can depend on the order in which the database
//! processes the foreign keys. Such a case counts as one that the database refuses. With `PROPERTY_STRICT` set it
//! counts as any other case.

mod case;
mod case_databases;
mod deletable_set;
mod generator;
mod oracle;
mod render;
mod restore_check;
mod rows;
mod shrink;

use std::hash::{BuildHasher, Hasher, RandomState};

use api::db::Dialect;
use api::deletion::{self, DeletionRequest};
use api::impact::{self, Impact};
use uuid::Uuid;

use case::{Case, uuid};
use case_databases::{Built, Place};
use oracle::{Content, Difference, content, difference};

use crate::support::WithTerms as _;
use crate::support::connection::Said;
use crate::support::say;

#[tokio::test]
async fn sqlite_impact_is_what_a_plain_delete_does() {
    run(Dialect::Sqlite, 20).await;
}

#[tokio::test]
async fn postgres_impact_is_what_a_plain_delete_does() {
    run(Dialect::Postgres, 20).await;
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn sqlite_impact_is_what_a_plain_delete_does_at_length() {
    run(Dialect::Sqlite, 200).await;
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_impact_is_what_a_plain_delete_does_at_length() {
    run(Dialect::Postgres, 200).await;
}

/// The result of a case, as independent facts.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, counted one by one")]
struct Verdict {
    plain_passed: bool,
    deletable: bool,
    unlinks: bool,
    /// The outcome of the plain DELETE depends on the order in which the database processes the foreign keys.
    order_dependent: bool,
    /// A unique index refused the deletion, which no foreign key predicts.
    unique: bool,
}

async fn run(dialect: Dialect, cases: u64) {
    let Some(place) = Place::new(dialect).await else { return };
    let cases: u64 = read_setting("PROPERTY_CASES").and_then(|value| value.parse().ok()).unwrap_or(cases);
    let seed = match read_setting("PROPERTY_SEED").as_deref() {
        Some("random") => RandomState::new().build_hasher().finish() >> 16,
        Some(number) => number.parse().expect("PROPERTY_SEED is a number or `random`"),
        None => 1,
    };
    say(&format!("{dialect:?}: PROPERTY_SEED={seed} PROPERTY_CASES={cases}"));
    let (mut verdicts, mut failures) = (Vec::new(), Vec::new());
    for seed in seed..seed + cases {
        let case = generator::generate(dialect, seed);
        let on_panic = ShowOnPanic(&case);
        let result = check(&case, &place).await;
        drop(on_panic);
        match result {
            Ok(verdict) => {
                if verdict.order_dependent {
                    say(&format!("{dialect:?}: the plain DELETE's outcome is one of several with seed {seed}"));
                }
                verdicts.push(verdict);
            }
            Err(complaint) => failures.push((case, complaint)),
        }
    }
    report(dialect, &verdicts);
    panic_on_failures(failures, &place).await;
}

/// Panics if there are failures, with all seeds, the first failing case in full, and the smallest failing case derived
/// from it.
async fn panic_on_failures(mut failures: Vec<(Case, String)>, place: &Place) {
    let seeds: Vec<u64> = failures.iter().map(|(case, _)| case.seed).collect();
    if seeds.is_empty() {
        return;
    }
    let (case, complaint) = failures.swap_remove(0);
    let (small, smallest) = shrink::shrink(case.clone(), complaint.clone(), place).await;
    panic!(
        "{} cases fail; their seeds: {seeds:?}\n\nThe first, repeated by PROPERTY_SEED={} PROPERTY_CASES=1:\n\n{}\n{complaint}\n\n\
         The smallest in it that fails:\n\n{}\n{smallest}\n",
        seeds.len(),
        case.seed,
        script(&case),
        script(&small),
    );
}

fn read_setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A guard that prints the case when the code under test panics.
struct ShowOnPanic<'a>(&'a Case);

impl Drop for ShowOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("PROPERTY_SEED={} PROPERTY_CASES=1\n{}", self.0.seed, script(self.0));
        }
    }
}

fn script(case: &Case) -> String {
    format!("{}{}\n", case.build(false), case.plain_delete())
}

fn report(dialect: Dialect, verdicts: &[Verdict]) {
    let share = |what: &str, test: fn(&Verdict) -> bool| {
        let percent = 100 * verdicts.iter().filter(|verdict| test(verdict)).count() / verdicts.len().max(1);
        say(&format!("{dialect:?}: {percent} % {what}"));
        percent
    };
    let passed = share("of the plain DELETEs pass", |verdict| verdict.plain_passed);
    share("pass and unlink rows", |verdict| verdict.plain_passed && verdict.unlinks);
    let refused = share("are refused", |verdict| !verdict.plain_passed);
    share("are refused, and the program's own deletion succeeds", |verdict| !verdict.plain_passed && verdict.deletable);
    share("depend on the order of the keys", |verdict| verdict.order_dependent);
    share("are refused by a unique index", |verdict| verdict.unique);
    if verdicts.len() >= 100 {
        assert!(passed > 10 && refused > 10, "the generator has lost its balance");
    }
}

/// Builds the case in a database and compares the impact with the database's behavior.
///
/// # Errors
///
/// Returns a description of the disagreement.
async fn check(case: &Case, place: &Place) -> Result<Verdict, String> {
    let mut built = place.build(case, false).await;
    let mut result = judge(case, &mut built).await;
    place.remove(case, built).await;
    // The plain DELETE passed and disagrees, which proves nothing if another order has another outcome.
    let doubtful =
        matches!(&result, Err(Complaint { plain_passed: true, .. })) && read_setting("PROPERTY_STRICT").is_none();
    if doubtful && is_order_dependent(case, place).await {
        let mut built = place.build(case, false).await;
        built.plain = Err(Said { code: String::new(), message: "order".to_owned() });
        result = judge(case, &mut built).await;
        place.remove(case, built).await;
        result = result.map(|verdict| Verdict { plain_passed: true, order_dependent: true, ..verdict });
    }
    result.map_err(|complaint| complaint.text)
}

/// Returns whether the plain DELETE has different outcomes when the foreign keys or rows are in another order. An order
/// in which it is refused does not count, because the program's own deletion may use an order in which it passes.
async fn is_order_dependent(case: &Case, place: &Place) -> bool {
    let mut other = case.clone();
    let mut first = None;
    for turn in 0..2 * case.keys.len() {
        let built = place.build(&other, turn % 2 == 1).await;
        let outcome = built.plain.as_ref().ok().cloned();
        place.remove(&other, built).await;
        if outcome.is_some() && *first.get_or_insert_with(|| outcome.clone()) != outcome {
            return true;
        }
        if turn % 2 == 1 {
            other.keys.rotate_left(1);
        }
    }
    false
}

/// A disagreement between impact, deletion and database.
struct Complaint {
    plain_passed: bool,
    text: String,
}

async fn judge(case: &Case, built: &mut Built) -> Result<Verdict, Complaint> {
    let db = built.database().await;
    let result = compare(case, built, &db).await;
    let closed = db.close().await;
    let plain_passed = built.plain.is_ok();
    let complain = |text: String| Complaint { plain_passed, text };
    closed.map_err(|error| complain(format!("closing: {error:?}")))?;
    result.map_err(complain)
}

async fn compare(case: &Case, built: &mut Built, db: &api::db::Database) -> Result<Verdict, String> {
    let roots: Vec<Uuid> = case.roots.iter().map(|&root| uuid(root).parse().unwrap()).collect();
    let impact = impact::impact_of(db, &roots).await.map_err(|error| format!("of_sessions: {error:?}"))?;
    check_each_alone(db, &roots).await?;
    deletable_set::check_largest_deletable_set(case, db, &roots, &impact).await?;
    let counts = count_rows(&impact)?;
    if let Ok(after) = &built.plain {
        let expected = difference(&built.before, after);
        if !impact.deletable || counts != expected {
            return Err(format!("the plain DELETE passes with {expected:?}\n{}", format_impact(&impact)));
        }
    }
    let verdict = Verdict {
        plain_passed: built.plain.is_ok(),
        deletable: impact.deletable,
        unlinks: counts.values().any(|(_, unlinked)| *unlinked > 0),
        unique: built.plain.as_ref().is_err_and(Said::is_unique_violation),
        order_dependent: false,
    };
    let request =
        DeletionRequest { session_ids: roots, principal: "property".to_owned(), ..DeletionRequest::default() }
            .expected_impact(impact.token.clone())
            .allow_connected()
            .allow_pending_messages();
    let outcome = deletion::delete(db, &request)
        .await
        .map_err(|error| format!("delete: {error:?}\n{}", format_impact(&impact)))?;
    let after = content(&mut built.connection, case).await;
    let plain = built.plain.as_ref().map_or_else(|said| said.message.clone(), |_| "passes".to_owned());
    let context = || format!("plain DELETE: {plain}\nrefusals: {:?}\n{}", outcome.refusals, format_impact(&impact));
    match (&outcome.deletion, impact.deletable) {
        (Some(deletion), true) => {
            check_deleted_rows(built, &counts, &after).map_err(|text| format!("{text}\n{}", context()))?;
            let restored = restore_check::check_restore(case, built, db, deletion, &after).await;
            restored.map_err(|text| format!("{text}\n{}", context()))?;
        }
        (Some(_), false) => return Err(format!("called not deletable, and deleted\n{}", context())),
        (None, _) if after != built.before => return Err(format!("refused, and changed\n{}", context())),
        (None, false) if outcome.refusals.is_empty() => return Err(format!("no reason is given\n{}", context())),
        (None, true) if !is_refused_by_unique_index(&outcome) => {
            return Err(format!("called deletable, and refused\n{}", context()));
        }
        (None, _) => {}
    }
    Ok(Verdict { unique: verdict.unique || (outcome.deletion.is_none() && impact.deletable), ..verdict })
}

/// Checks that the deletion changed exactly the rows that the impact counted. Where the plain DELETE passes, the
/// remaining rows must also equal its result, value by value.
fn check_deleted_rows(built: &Built, counts: &Difference, after: &Content) -> Result<(), String> {
    let actual = difference(&built.before, after);
    if actual != *counts {
        return Err(format!("shown {counts:?}, done {actual:?}"));
    }
    match &built.plain {
        Ok(plain) if plain != after => Err(format!("left {after:?}\nthe plain DELETE leaves {plain:?}")),
        _ => Ok(()),
    }
}

/// Returns whether a unique index refused the deletion. The impact predicts foreign keys only.
fn is_refused_by_unique_index(outcome: &deletion::DeletionOutcome) -> bool {
    outcome.refusals.iter().any(|refusal| refusal.message.to_lowercase().contains("unique"))
}

/// Formats the impact on a few lines.
fn format_impact(impact: &Impact) -> String {
    let blockers = impact.blockers.iter();
    let blockers: Vec<_> = blockers
        .map(|blocker| format!("{:?}: {} rows of {} {:?}", blocker.kind, blocker.rows, blocker.table, blocker.columns))
        .collect();
    let tables = impact.tables.iter();
    let tables: Vec<_> =
        tables.map(|table| format!("{:?}: ({}, {})", table.table, table.rows_deleted, table.rows_unlinked)).collect();
    format!("impact: deletable {}, {{{}}}, blockers {blockers:?}", impact.deletable, tables.join(", "))
}

/// Returns the deleted and unlinked rows of the impact by table, and checks that the totals are their sums.
fn count_rows(impact: &Impact) -> Result<Difference, String> {
    let tables = impact.tables.iter();
    let counts: Difference =
        tables.map(|table| (table.table.clone(), (table.rows_deleted, table.rows_unlinked))).collect();
    let sums = counts.values().fold((0, 0), |sum, (deleted, unlinked)| (sum.0 + deleted, sum.1 + unlinked));
    if sums != (impact.rows_deleted, impact.rows_unlinked) || impact.deletable != impact.blockers.is_empty() {
        return Err(format!("the impact contradicts itself\n{}", format_impact(impact)));
    }
    Ok(counts.into_iter().filter(|(_, counts)| *counts != (0, 0)).collect())
}

/// Checks that counting many sessions together gives each one the same impact as counting it alone.
async fn check_each_alone(db: &api::db::Database, roots: &[Uuid]) -> Result<(), String> {
    let together = impact::impact_of_each(db, roots).await.map_err(|error| format!("of_each_session: {error:?}"))?;
    for root in roots {
        let alone = impact::impact_of(db, &[*root]).await.map_err(|error| format!("of_sessions: {error:?}"))?;
        if together.get(root) != Some(&alone) {
            return Err(format!("among others {:#?}\nalone {alone:#?}", together.get(root)));
        }
    }
    if together.len() == roots.len() { Ok(()) } else { Err(format!("{} impacts for {roots:?}", together.len())) }
}
