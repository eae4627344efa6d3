//! The report of skipped tests. Cargo runs this target after `it`, whose summary counts them as passed.

#![allow(missing_docs, reason = "a program without an interface")]

#[path = "support/skipped_file.rs"]
mod skipped_file;

use std::collections::BTreeMap;

fn main() {
    // A test runner that asks for a list of tests gets an empty one.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let file = skipped_file::skipped_file();
    let skipped = std::fs::read_to_string(&file).unwrap_or_default();
    let _ = std::fs::remove_file(&file);
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for (_test, reason) in skipped.lines().filter_map(|line| line.split_once('\t')) {
        *reasons.entry(reason).or_default() += 1;
    }
    println!("\n{} tests skipped, which count as passed above", reasons.values().sum::<usize>());
    for (reason, count) in reasons {
        println!("{count:>6}  {reason}");
    }
}
