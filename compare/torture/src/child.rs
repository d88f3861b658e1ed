//! A server's process.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Failure, PATIENCE};

/// A server's process that listens. Dropping this kills it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    child: Child,
    /// Returns what the process prints after its first line.
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The time since the call of [`Server::wait`], or since the signal.
    pub(crate) took: Duration,
    pub(crate) stdout: String,
    /// The last lines of its standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// Returns true if the process has ended by itself, without a failure, and no request was cut.
    pub(crate) fn is_clean(&self) -> bool {
        self.status.success() && self.stdout.contains("report true")
    }

    /// Returns the signal that has killed the process.
    pub(crate) fn signal(&self) -> Option<i32> {
        self.status.signal()
    }
}

/// Returns this program as the server of this name.
pub(crate) fn command(server: &str) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--serve", server]);
    // The panics that clients ask for are many.
    command.env("RUST_BACKTRACE", "0");
    Ok(command)
}

impl Server {
    /// Starts the server of this name with these flags, and waits until it listens.
    pub(crate) fn start(server: &str, flags: &[&str]) -> Result<Self, Failure> {
        let mut command = command(server)?;
        command.args(flags);
        Self::spawn(&mut command)
    }

    /// Starts a server by its command, and waits until it says where it listens.
    pub(crate) fn spawn(command: &mut Command) -> Result<Self, Failure> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let stderr = child.stderr.take().ok_or("no standard error")?;
        let (sender, first) = channel();
        let stdout = thread::spawn(move || {
            let mut lines = BufReader::new(stdout);
            let mut line = String::new();
            let _ = lines.read_line(&mut line);
            let _ = sender.send(line);
            read_end(lines)
        });
        let mut server = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
            stdout: Some(stdout),
            stderr: Some(thread::spawn(move || read_end(stderr))),
        };
        server.address = listens_at(&first)?;
        Ok(server)
    }

    /// Returns the process's id.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal. One to a process that has ended does nothing.
    pub(crate) fn signal(&self, signal: Signal) {
        let _ = kill_process(self.pid(), signal);
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn stop(self) -> Result<Ended, Failure> {
        let began = Instant::now();
        self.signal(Signal::TERM);
        self.wait_since(began, PATIENCE)
    }

    /// Waits for the end of the process.
    ///
    /// # Errors
    ///
    /// It does not end in time: it is killed then.
    pub(crate) fn wait_since(
        mut self,
        began: Instant,
        patience: Duration,
    ) -> Result<Ended, Failure> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                let took = began.elapsed();
                let join =
                    |text: Option<JoinHandle<String>>| text.and_then(|text| text.join().ok());
                return Ok(Ended {
                    status,
                    took,
                    stdout: join(self.stdout.take()).unwrap_or_default(),
                    stderr: join(self.stderr.take()).unwrap_or_default(),
                });
            }
            if began.elapsed() > patience {
                return Err(format!("does not end within {patience:?} of its stop").into());
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Returns the bytes that the process holds in memory (`VmRSS`, proc_pid_status(5)).
    pub(crate) fn resident(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        Ok(kib.ok_or("no VmRSS")?.parse::<u64>()? * 1024)
    }

    /// Returns the number of open files.
    pub(crate) fn descriptors(&self) -> Result<usize, Failure> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.child.id()))?.count())
    }

    /// Returns the CPU time that its threads have used (`/proc/PID/task/TID/schedstat`).
    pub(crate) fn cpu_time(&self) -> Result<Duration, Failure> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may end while this is read.
            let Ok(stat) = fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            total += stat
                .split(' ')
                .next()
                .ok_or("an empty schedstat")?
                .parse::<u64>()?;
        }
        Ok(Duration::from_nanos(total))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the address in a server's first line.
fn listens_at(first: &Receiver<String>) -> Result<SocketAddr, Failure> {
    let line = first
        .recv_timeout(PATIENCE)
        .map_err(|_| "a server says nothing")?;
    let address = line.trim().strip_prefix("listening ");
    let address = address.ok_or_else(|| format!("a server says `{line}`"))?;
    Ok(address.parse()?)
}

/// Reads to the end, and returns the last bytes.
fn read_end(mut from: impl Read) -> String {
    const KEPT: usize = 4000;
    let (mut kept, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = from.read(&mut part) {
        kept.extend_from_slice(&part[..length]);
        let extra = kept.len().saturating_sub(KEPT);
        kept.drain(..extra);
    }
    String::from_utf8_lossy(&kept).into_owned()
}
