//! Benchmarks of the lists over HTTP against a hand-written server: requests a second, time to start, and memory.

mod handwritten_server;
pub mod side;

use std::time::Duration;

use crate::data::Size;
use crate::measure::median;
use side::{Ask, Side};

pub use handwritten_server::serve as serve_by_hand;

/// The argument with which this program runs as the hand-written server.
pub const BY_HAND: &str = "by-hand";

/// The number of measurements of each side, after one to warm up.
const TURNS: usize = 7;
/// The number of starts of each side.
const STARTS: usize = 9;
const TURN: Duration = Duration::from_secs(3);

/// The compared lists: the title, the path of the hand-written server, and the program's query.
const LISTS: [(&str, &str, &str); 3] = [
    (
        "50 sessions",
        "/list",
        "query Sessions($first: Int!) { sessions(first: $first) { \
         nodes { id name status phoneNumber createdAt } pageInfo { hasNextPage } } }",
    ),
    (
        "50 sessions, the first 10 groups of each",
        "/groups",
        "query Groups($first: Int!) { sessions(first: $first) { \
         nodes { id name status groups(first: 10) { nodes { id name participantCount } } } pageInfo { hasNextPage } } }",
    ),
    (
        "50 sessions, the number of groups of each",
        "/counts",
        "query Counts($first: Int!) { sessions(first: $first) { nodes { id name status groupCount } pageInfo { hasNextPage } } }",
    ),
];

/// Runs the benchmarks on the database at `url` and prints a table.
pub async fn run(url: &str, size: &Size) {
    let (ours, hand) = (Side::ours(url), Side::by_hand(url));
    println!("\n| size | requests a second | ours | by hand | ratio |\n|---|---|---|---|---|");
    let (our_process, hand_process) = (ours.spawn(), hand.spawn());
    for (what, path, query) in LISTS {
        let (our_ask, hand_ask) = (Ask::ours(query), Ask::by_hand(path));
        let (answer, _) = our_process.first_answer(&our_ask).await;
        assert_eq!(answer, hand_process.first_answer(&hand_ask).await.0, "{what}: both give the same answer");
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for turn in 0..=TURNS {
            let rates = (our_process.load(&our_ask, TURN), hand_process.load(&hand_ask, TURN));
            if turn > 0 {
                one.push(rates.0);
                two.push(rates.1);
            }
        }
        let (one, two) = (median(one), median(two));
        println!("| {} | {what} | {one:.0} | {two:.0} | {:.2} |", size.name, one / two);
    }
    println!("\n| size | what | ours | by hand |\n|---|---|---|---|");
    println!("| {} | memory after load, MiB | {:.1} | {:.1} |", size.name, our_process.memory(), hand_process.memory());
    drop((our_process, hand_process));
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        one.push(ours.spawn().first_answer(&Ask::ours(LISTS[0].2)).await.1);
        two.push(hand.spawn().first_answer(&Ask::by_hand(LISTS[0].1)).await.1);
    }
    println!("| {} | start to the first answer, ms | {:.1} | {:.1} |", size.name, median(one), median(two));
}
