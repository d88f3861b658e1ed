//! How an outcome is displayed.

use std::fmt;

use super::Outcome;
use super::stragglers::Stragglers;
use crate::stop::cause::Cause;

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
        match self.members.len() as u64 + self.unreported {
            0 => return f.write_str("ended: there were no services"),
            _ if *cause == Cause::Ended => {
                write!(
                    f,
                    "ended: all services finished after {:.1?}",
                    stopped + drained
                )?;
            }
            1 => write!(
                f,
                "stopped by {cause} after {stopped:.1?}: 1 service ended in {drained:.1?}"
            )?,
            n => write!(
                f,
                "stopped by {cause} after {stopped:.1?}: {n} services ended in {drained:.1?}"
            )?,
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
