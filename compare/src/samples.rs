//! The samples of a contender.

use figures::Spread;

use crate::metric::Metric;

/// The samples of each metric, over all rounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples([Vec<f64>; Metric::ALL.len()]);

impl Samples {
    pub(crate) fn add(&mut self, metric: Metric, value: f64) {
        self.0[metric as usize].push(value);
    }

    /// Adds the samples of another round.
    pub(crate) fn extend(&mut self, other: Samples) {
        for (samples, more) in self.0.iter_mut().zip(other.0) {
            samples.extend(more);
        }
    }

    pub(crate) fn of(&self, metric: Metric) -> &[f64] {
        &self.0[metric as usize]
    }

    /// Returns `None` if the contender has no samples of this metric.
    pub(crate) fn spread(&self, metric: Metric) -> Option<Spread> {
        Spread::of(self.of(metric))
    }
}
