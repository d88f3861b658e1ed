//! How an outcome is displayed.

use std::fmt;

use super::Outcome;
use super::report::ServiceReport;
use super::stragglers::Stragglers;
use crate::service::exit::Exit;
use crate::stop::cause::Cause;
use crate::stop::force::Elapsed;

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("cause", &self.cause)
            .field("reports", &self.reports().collect::<Vec<_>>())
            .field("stopped", &self.stopped())
            .field("drained", &self.drained())
            .finish()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (cause, stopped, drained) = (&self.cause, self.stopped(), self.drained());
        if self.members.is_empty() && self.unreported == 0 {
            return f.write_str("ended: there were no services");
        }
        if *cause == Cause::Ended {
            let after = Elapsed(stopped + drained);
            write!(f, "ended: all services finished after {after}")?;
        } else {
            let (stopped, drained) = (Elapsed(stopped), Elapsed(drained));
            write!(f, "stopped by {cause}, {stopped} after the start")?;
            write!(f, "; drained for {drained}; {}", Ends(self))?;
        }
        if self.has_stragglers() {
            write!(f, "; {}", Stragglers(self))?;
        }
        if f.alternate() {
            for report in self.reports() {
                write!(f, "\n  {report:#}")?;
            }
        }
        Ok(())
    }
}

/// How many services ended in which way: `3 services: 2 ended, 1 not started`, or, if it is one way
/// for all, `3 services ended`.
struct Ends<'o>(&'o Outcome);

/// The ways to end that are told apart here.
const WAYS: [&str; 5] = ["ended", "failed", "not started", "cancelled", "abandoned"];

/// Returns the index in [`WAYS`] of how a service ended.
fn way(report: &ServiceReport<'_>) -> usize {
    match report.exit() {
        _ if report.is_abandoned() => 4,
        Exit::Cancelled => 3,
        Exit::NotStarted => 2,
        Exit::Failed(_) | Exit::Panicked(_) => 1,
        _ if report.is_straggler() => 3,
        _ => 0,
    }
}

impl fmt::Display for Ends<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = [self.0.unreported, 0, 0, 0, 0];
        for report in self.0.reports() {
            counts[way(&report)] += 1;
        }
        let all = counts.iter().sum::<u64>();
        write!(f, "{all} service{}", if all == 1 { "" } else { "s" })?;
        let ways = WAYS.iter().zip(counts).filter(|(_, count)| *count > 0);
        for (index, (way, count)) in ways.enumerate() {
            match index {
                _ if count == all => write!(f, " {way}")?,
                0 => write!(f, ": {count} {way}")?,
                _ => write!(f, ", {count} {way}")?,
            }
        }
        Ok(())
    }
}
