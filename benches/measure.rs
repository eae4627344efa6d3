//! Two sides in turn, and their medians.

use std::time::Instant;

/// Medians of the two sides, in milliseconds.
pub struct Comparison {
    pub ours: f64,
    pub other: f64,
}

/// Runs the sides in turn, so that a machine whose speed drifts treats both alike; one turn of each is not counted, nor is
/// what `tidy` does after each.
pub async fn compare(runs: usize, ours: impl AsyncFn(), other: impl AsyncFn(), tidy: impl AsyncFn()) -> Comparison {
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for turn in 0..=runs {
        let our_time = timed(&ours).await;
        tidy().await;
        let other_time = timed(&other).await;
        tidy().await;
        if turn > 0 {
            one.push(our_time);
            two.push(other_time);
        }
    }
    Comparison { ours: median(one), other: median(two) }
}

async fn timed(side: &impl AsyncFn()) -> f64 {
    let start = Instant::now();
    side().await;
    start.elapsed().as_secs_f64() * 1_000.0
}

/// The one in the middle.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
