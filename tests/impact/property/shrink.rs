//! The reduction of a failing case to a smaller one that still fails and is easier to read.

use super::case::{Case, GROUPS};
use super::case_databases::Place;
use super::check;

/// Returns the smallest failing case found by removing one part after the other, with its complaint.
pub async fn shrink(mut case: Case, mut complaint: String, place: &Place) -> (Case, String) {
    'smaller: loop {
        for candidate in candidates(&case) {
            if let Err(still) = check(&candidate, place).await {
                (case, complaint) = (candidate, still);
                continue 'smaller;
            }
        }
        return (case, complaint);
    }
}

/// Returns copies of the case that each lack one foreign key, table, row, unique key or session to delete.
fn candidates(case: &Case) -> Vec<Case> {
    let mut candidates = Vec::new();
    let mut without = |change: &dyn Fn(&mut Case)| {
        let mut smaller = case.clone();
        change(&mut smaller);
        smaller.repair();
        if !smaller.roots.is_empty() {
            candidates.push(smaller);
        }
    };
    for table in GROUPS + 1..case.tables.len() {
        without(&|case| remove_table(case, table));
    }
    for key in 0..case.keys.len() {
        without(&|case| drop(case.keys.remove(key)));
    }
    for (at, table) in case.tables.iter().enumerate() {
        for row in 0..table.rows.len() {
            without(&|case| drop(case.tables[at].rows.remove(row)));
        }
        for unique in 0..table.unique.len() {
            let columns = &table.unique[unique];
            if !case.keys.iter().any(|key| key.referenced == at && same(&key.referenced_columns, columns)) {
                without(&|case| drop(case.tables[at].unique.remove(unique)));
            }
        }
    }
    for root in 0..case.roots.len() {
        without(&|case| _ = case.roots.remove(root));
    }
    candidates
}

fn same(some: &[usize], others: &[usize]) -> bool {
    some.len() == others.len() && some.iter().all(|column| others.contains(column))
}

fn remove_table(case: &mut Case, table: usize) {
    case.tables.remove(table);
    case.keys.retain(|key| key.table != table && key.referenced != table);
    for key in &mut case.keys {
        for at in [&mut key.table, &mut key.referenced] {
            if *at > table {
                *at -= 1;
            }
        }
    }
}
