//! The other client, which does nothing wrong.

use std::fmt;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::setpriority_process;

use crate::connection::Connection;

/// How long the client's requests took.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    /// Sorted.
    all: Vec<Duration>,
    /// How many requests had no answer.
    pub(super) failed: usize,
}

impl Latencies {
    pub(super) fn extend(&mut self, other: Self) {
        self.all.extend(other.all);
        self.all.sort();
        self.failed += other.failed;
    }

    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let last = self.all.len().saturating_sub(1);
        self.all
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default()
    }
}

/// As `0.1 / 2.5 / 7.0 (1500)`, in ms.
impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [median, tail, most] =
            [50, 99, 100].map(|percent| self.percentile(percent).as_secs_f64() * 1e3);
        write!(
            f,
            "{median:.2} / {tail:.1} / {most:.0} ({})",
            self.all.len()
        )?;
        match self.failed {
            0 => Ok(()),
            failed => write!(f, ", {failed} failed"),
        }
    }
}

/// Sends one request after the other for a time, with a pause of 1 ms between two; each sixteenth on a
/// connection of its own.
pub(super) fn measure(address: SocketAddr, length: Duration) -> Latencies {
    // Only this thread. Without the right to do that the figures are worse.
    let _ = setpriority_process(None, -20);
    let (mut latencies, mut kept) = (Latencies::default(), None);
    let began = Instant::now();
    for nth in 0.. {
        if began.elapsed() > length {
            return latencies;
        }
        let start = Instant::now();
        let answered = match nth % 16 {
            0 => ask(address, &mut None),
            _ => ask(address, &mut kept),
        };
        latencies.all.push(start.elapsed());
        if answered.is_none() {
            latencies.failed += 1;
            kept = None;
        }
        thread::sleep(Duration::from_millis(1));
    }
    latencies
}

/// Sends a request on the kept connection, or a new one. Returns `None` if it has no answer.
fn ask(address: SocketAddr, kept: &mut Option<Connection>) -> Option<()> {
    let connection = match kept {
        Some(connection) => connection,
        None => kept.insert(Connection::open(address, None).ok()?),
    };
    connection
        .send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n")
        .ok()?;
    let answer = connection.answer(false).ok()?;
    (answer.status == 200).then_some(())
}
