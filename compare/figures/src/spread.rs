//! The median of some samples, with the lowest and the highest.

/// The lowest, the middle and the highest of some samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The lowest sample.
    pub low: f64,
    /// The middle sample; of an even number, the mean of the middle two.
    pub median: f64,
    /// The highest sample.
    pub high: f64,
}

impl Spread {
    /// Returns `None` if there are no samples.
    pub fn of(samples: &[f64]) -> Option<Spread> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        };
        Some(Spread { low, median, high })
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        let spread = |samples: &[f64]| {
            Spread::of(samples).map(|Spread { low, median, high }| [low, median, high])
        };
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[5.0, 1.0, 2.0]), Some([1.0, 2.0, 5.0]));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 9.0]), Some([1.0, 3.0, 9.0]));
    }
}
