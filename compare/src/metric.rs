//! What is measured of a contender, with its unit.

use figures::thousands;

/// Everything that is measured, in the order of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    Rate,
    Median,
    Tail,
    Far,
    Cpu,
    Volume,
    CpuVolume,
    Rest,
    Connection,
    Crowded,
    Burst,
    Start,
    ExitIdle,
    ExitDrain,
    ExitLoad,
    Lost,
}

/// Which values of a metric are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
}

impl Metric {
    pub(crate) const ALL: [Metric; 16] = [
        Metric::Rate,
        Metric::Median,
        Metric::Tail,
        Metric::Far,
        Metric::Cpu,
        Metric::Volume,
        Metric::CpuVolume,
        Metric::Rest,
        Metric::Connection,
        Metric::Crowded,
        Metric::Burst,
        Metric::Start,
        Metric::ExitIdle,
        Metric::ExitDrain,
        Metric::ExitLoad,
        Metric::Lost,
    ];

    /// Its name in the tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Metric::Rate => "requests/s",
            Metric::Median => "p50, µs",
            Metric::Tail => "p99, µs",
            Metric::Far => "p99.9, µs",
            Metric::Cpu => "CPU, µs/request",
            Metric::Volume => "MB/s",
            Metric::CpuVolume => "CPU, µs/MB",
            Metric::Rest => "at rest, MB",
            Metric::Connection => "idle connection, kB",
            Metric::Crowded => "after all asked at once, kB",
            Metric::Burst => "kept after uploads of 1 MB, MB",
            Metric::Start => "start to first answer, ms",
            Metric::ExitIdle => "signal to exit, idle, ms",
            Metric::ExitDrain => "last answer to exit, ms",
            Metric::ExitLoad => "signal to exit, under load, ms",
            Metric::Lost => "requests lost at the stop",
        }
    }

    /// Its name in JSON.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Metric::Rate => "requests_per_second",
            Metric::Median => "p50_us",
            Metric::Tail => "p99_us",
            Metric::Far => "p999_us",
            Metric::Cpu => "cpu_us_per_request",
            Metric::Volume => "mb_per_second",
            Metric::CpuVolume => "cpu_us_per_mb",
            Metric::Rest => "resident_at_rest_mb",
            Metric::Connection => "resident_per_idle_connection_kb",
            Metric::Crowded => "resident_per_idle_connection_after_all_at_once_kb",
            Metric::Burst => "resident_kept_after_uploads_mb",
            Metric::Start => "start_to_first_answer_ms",
            Metric::ExitIdle => "signal_to_exit_idle_ms",
            Metric::ExitDrain => "last_answer_to_exit_ms",
            Metric::ExitLoad => "signal_to_exit_under_load_ms",
            Metric::Lost => "requests_lost_at_stop",
        }
    }

    pub(crate) fn better(self) -> Better {
        match self {
            Metric::Rate | Metric::Volume => Better::More,
            _ => Better::Less,
        }
    }

    /// Writes a value of it, with as many decimals as are telling.
    pub(crate) fn write(self, value: f64) -> String {
        let decimals = match self {
            Metric::Rate | Metric::Median | Metric::Tail | Metric::Far | Metric::Lost => 0,
            Metric::Volume | Metric::CpuVolume => 0,
            Metric::Cpu | Metric::Rest | Metric::Connection => 1,
            Metric::Crowded | Metric::Burst | Metric::Start => 1,
            Metric::ExitIdle | Metric::ExitDrain | Metric::ExitLoad => 2,
        };
        if decimals == 0 && value >= 10_000.0 {
            return thousands(value.round() as u64);
        }
        format!("{value:.decimals$}")
    }
}
