//! `make bench`: benchmarks that compare the program with hand-written equivalents, as ratios.
//!
//! Two databases are created on a PostgreSQL server: S (200 sessions × 60 groups, 60,000 dependants) and M (1,000 ×
//! 600, 3,000,000 dependants). The two sides of a comparison run alternately, and their medians are compared.
//!
//! `BENCH_SIZES=S` skips M. `TEST_DATABASE_URL` names the server; without it, one is started. An argument selects a
//! part: `engine`, `lists` or `runs`.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

mod data;
mod engine;
mod handwritten_sql;
mod lists;
mod measure;
mod runs;
#[path = "../tests/support/server.rs"]
#[expect(dead_code, reason = "the tests start servers of other kinds too")]
mod server;

use data::Size;

/// The allocator of the program, so that the hand-written server uses the same one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    // cargo adds the argument --bench.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // Like the program, the hand-written server runs in a separate process.
        [lists::BY_HAND, url, address] => lists::serve_by_hand(url, address).await,
        [] => run(&["engine", "lists", "runs"]).await,
        ref parts => run(parts).await,
    }
}

async fn run(parts: &[&str]) {
    let server = server::server().expect("a PostgreSQL server");
    let sizes = std::env::var("BENCH_SIZES").unwrap_or_else(|_| "S M".to_owned());
    for size in sizes.split_whitespace() {
        let size = Size::named(size);
        let url = data::build(&server.url, &size).await;
        for part in parts {
            match *part {
                "engine" => engine::run(&url, &size).await,
                "lists" => lists::run(&url, &size).await,
                "runs" => runs::run(&url, &size).await,
                other => panic!("a part is engine, lists or runs, not {other}"),
            }
        }
        data::drop_database(&server.url, &size).await;
    }
}
