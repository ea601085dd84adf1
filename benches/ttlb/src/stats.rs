//! Percentiles, and their confidence intervals by the bootstrap.

use crate::link::random;

/// Resamples of a bootstrap.
const RESAMPLES: usize = 1000;

/// The value at `share` (0 to 1) of values that it sorts: between two of them, linear. Infinite ones come last.
pub fn percentile(values: &mut [f64], share: f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let place = share * (values.len() - 1) as f64;
    let low = place.floor() as usize;
    let (_, &mut below, rest) = values.select_nth_unstable_by(low, f64::total_cmp);
    let above = rest.iter().copied().fold(f64::INFINITY, f64::min);
    let part = place - low as f64;
    if part == 0.0 { below } else { below + (above - below) * part }
}

/// A value and the interval that holds it with a confidence of 95 %.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// Draws with repetition from both lists, and takes the middle 95 % of what `statistic` says of the draws.
fn bootstrap(a: &[f64], b: &[f64], statistic: impl Fn(&mut [f64], &mut [f64]) -> f64) -> Estimate {
    let value = statistic(&mut a.to_vec(), &mut b.to_vec());
    let (mut drawn_a, mut drawn_b) = (a.to_vec(), b.to_vec());
    let mut n = 0;
    let mut draw = |from: &[f64], to: &mut [f64]| {
        for slot in to {
            n += 1;
            // The high half of a product: without division, and even enough for lists of thousands.
            *slot = from[((u128::from(random(2024, n)) * from.len() as u128) >> 64) as usize];
        }
    };
    let mut statistics: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            draw(a, &mut drawn_a);
            draw(b, &mut drawn_b);
            statistic(&mut drawn_a, &mut drawn_b)
        })
        .collect();
    Estimate { value, low: percentile(&mut statistics, 0.025), high: percentile(&mut statistics, 0.975) }
}

/// A percentile.
pub fn at(values: &[f64], share: f64) -> Estimate {
    bootstrap(values, &[], |values, _| percentile(values, share))
}

/// By how many per cent a percentile of `b` is above that of `a`.
pub fn increase(a: &[f64], b: &[f64], share: f64) -> Estimate {
    bootstrap(a, b, |a, b| (percentile(b, share) / percentile(a, share) - 1.0) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::unit;

    #[test]
    fn percentiles() {
        let mut values = [4.0, 1.0, 3.0, 2.0, 5.0];
        assert_eq!(percentile(&mut values, 0.0), 1.0);
        assert_eq!(percentile(&mut values, 0.5), 3.0);
        assert_eq!(percentile(&mut values, 0.9), 4.6);
        assert_eq!(percentile(&mut values, 1.0), 5.0);
        assert_eq!(percentile(&mut [1.0, f64::INFINITY, 2.0], 0.5), 2.0);
        assert!(percentile(&mut [], 0.5).is_nan());
    }

    /// Of 200 experiments with a known median, about 95 % of the intervals hold it, and not all.
    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        let held = (0..200)
            .filter(|seed| {
                let values: Vec<f64> = (0..151).map(|n| unit(random(*seed, n))).collect();
                let estimate = at(&values, 0.5);
                (estimate.low..estimate.high).contains(&0.5)
            })
            .count();
        assert!((180..=199).contains(&held), "{held} of 200");
    }

    #[test]
    fn an_increase_is_relative() {
        let a: Vec<f64> = (0..500).map(|n| 100.0 + unit(random(1, n))).collect();
        let b: Vec<f64> = (0..500).map(|n| 136.0 + unit(random(2, n))).collect();
        let estimate = increase(&a, &b, 0.5);
        assert!(
            (estimate.value - 35.8).abs() < 0.5
                && estimate.low < estimate.value
                && estimate.value < estimate.high
        );
        assert!(estimate.high - estimate.low < 0.5);
    }
}
