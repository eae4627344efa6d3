//! Comparison of the medians of two alternating measurements.

use std::time::Instant;

/// The medians of the two sides, in milliseconds.
pub struct Comparison {
    pub ours: f64,
    pub other: f64,
}

/// Measures both sides alternately, so that a drift of the machine's speed affects both.
///
/// The first measurement of each side warms up and is not counted. `tidy` runs after each measurement, without being
/// measured.
pub async fn compare(runs: usize, ours: impl AsyncFn(), other: impl AsyncFn(), tidy: impl AsyncFn()) -> Comparison {
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for turn in 0..=runs {
        let our_time = measure(&ours).await;
        tidy().await;
        let other_time = measure(&other).await;
        tidy().await;
        if turn > 0 {
            one.push(our_time);
            two.push(other_time);
        }
    }
    Comparison { ours: median(one), other: median(two) }
}

/// Returns the duration of a call, in milliseconds.
async fn measure(side: &impl AsyncFn()) -> f64 {
    let start = Instant::now();
    side().await;
    start.elapsed().as_secs_f64() * 1_000.0
}

/// Returns the median.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
