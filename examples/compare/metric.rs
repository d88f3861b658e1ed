//! What is measured of a contender, with its unit, and the samples of it.

/// Everything that is measured, in the order of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    Rate,
    Median,
    Tail,
    Cpu,
    Rest,
    Connection,
    Start,
    ExitIdle,
    ExitDrain,
    ExitLoad,
    Lost,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
}

impl Metric {
    pub(crate) const ALL: [Metric; 11] = [
        Metric::Rate,
        Metric::Median,
        Metric::Tail,
        Metric::Cpu,
        Metric::Rest,
        Metric::Connection,
        Metric::Start,
        Metric::ExitIdle,
        Metric::ExitDrain,
        Metric::ExitLoad,
        Metric::Lost,
    ];

    /// What the tables call it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Metric::Rate => "requests/s",
            Metric::Median => "p50, µs",
            Metric::Tail => "p99, µs",
            Metric::Cpu => "CPU, µs/request",
            Metric::Rest => "at rest, MB",
            Metric::Connection => "idle connection, kB",
            Metric::Start => "start to first answer, ms",
            Metric::ExitIdle => "signal to exit, idle, ms",
            Metric::ExitDrain => "last answer to exit, ms",
            Metric::ExitLoad => "signal to exit, under load, ms",
            Metric::Lost => "requests lost at the stop",
        }
    }

    /// What a program that reads the figures calls it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Metric::Rate => "requests_per_second",
            Metric::Median => "p50_us",
            Metric::Tail => "p99_us",
            Metric::Cpu => "cpu_us_per_request",
            Metric::Rest => "resident_at_rest_mb",
            Metric::Connection => "resident_per_idle_connection_kb",
            Metric::Start => "start_to_first_answer_ms",
            Metric::ExitIdle => "signal_to_exit_idle_ms",
            Metric::ExitDrain => "last_answer_to_exit_ms",
            Metric::ExitLoad => "signal_to_exit_under_load_ms",
            Metric::Lost => "requests_lost_at_stop",
        }
    }

    pub(crate) fn better(self) -> Better {
        match self {
            Metric::Rate => Better::More,
            _ => Better::Less,
        }
    }

    /// How a figure of it is written.
    pub(crate) fn write(self, value: f64) -> String {
        let decimals = match self {
            Metric::Rate | Metric::Median | Metric::Tail | Metric::Lost => 0,
            Metric::Cpu | Metric::Rest | Metric::Connection | Metric::Start => 1,
            Metric::ExitIdle | Metric::ExitDrain | Metric::ExitLoad => 2,
        };
        let digits = format!("{value:.decimals$}");
        match digits.len() {
            5.. if decimals == 0 => thousands(&digits),
            _ => digits,
        }
    }
}

/// `163431` as `163,431`.
fn thousands(digits: &str) -> String {
    let (head, tail) = digits.split_at(digits.len() - 3);
    match head.len() {
        4.. => format!("{},{tail}", thousands(head)),
        _ => format!("{head},{tail}"),
    }
}

/// The samples of each metric, over all rounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples([Vec<f64>; Metric::ALL.len()]);

impl Samples {
    pub(crate) fn add(&mut self, metric: Metric, value: f64) {
        self.0[metric as usize].push(value);
    }

    pub(crate) fn extend(&mut self, other: Samples) {
        for (samples, more) in self.0.iter_mut().zip(other.0) {
            samples.extend(more);
        }
    }

    pub(crate) fn of(&self, metric: Metric) -> &[f64] {
        &self.0[metric as usize]
    }

    /// Nothing for what a contender has not.
    pub(crate) fn spread(&self, metric: Metric) -> Option<Spread> {
        Spread::of(self.of(metric))
    }
}

/// The middle of some samples, and how far they go to either side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(samples: &[f64]) -> Option<Spread> {
        let mut samples = samples.to_vec();
        samples.sort_by(f64::total_cmp);
        let (low, high) = (*samples.first()?, *samples.last()?);
        let middle = samples.len() / 2;
        let median = match samples.len() % 2 {
            0 => f64::midpoint(samples[middle - 1], samples[middle]),
            _ => samples[middle],
        };
        Some(Spread { low, median, high })
    }
}
