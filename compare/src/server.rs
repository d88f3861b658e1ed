//! The process of a contender, and what the kernel says about it.
//!
//! The environment tells the program what to do: `ADDR` says where to listen, `THREADS` how many
//! threads to use, `TIMER` after how many seconds its timer fails, and `FILES` where its files are. The
//! program answers `GET /hello` at once, and ends by itself on SIGTERM. `GET /slow`, answered after
//! 100 ms, and the other routes of `apps/` it may have; what needs them is left out otherwise.

use std::fs;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::Client;
use crate::contender::Contender;
use crate::processors::Processors;
use crate::{Failure, PATIENCE};

/// A contender's process that has given its first answer. Dropping this kills the process.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// From just before the process was started until its first answer had arrived.
    pub(crate) start: Duration,
    child: Child,
    /// Returns the beginning of what the process wrote to standard error.
    stderr: Option<JoinHandle<String>>,
}

impl Server {
    /// Starts a process, and waits for its first answer.
    pub(crate) fn start(contender: &Contender, processors: &Processors) -> Result<Server, Failure> {
        let address = free_address()?;
        let mut command = command(contender, address)?;
        // The threads of the child inherit the processors of the thread that starts it.
        Processors::pin(&processors.server)?;
        let began = Instant::now();
        let spawned = command.spawn();
        Processors::pin(&processors.load)?;
        let mut child = spawned.map_err(|error| format!("{}: {error}", contender.command[0]))?;
        let stderr = child.stderr.take();
        let mut server = Server {
            address,
            start: Duration::ZERO,
            child,
            stderr: stderr.map(|stderr| thread::spawn(move || read_beginning(stderr))),
        };
        server.await_answer(began)?;
        server.start = began.elapsed();
        Ok(server)
    }

    fn await_answer(&mut self, began: Instant) -> Result<(), Failure> {
        loop {
            if let Ok(mut client) = Client::connect(self.address) {
                client.send("/hello")?;
                return client.receive().map(drop);
            }
            if let Some(status) = self.child.try_wait()? {
                let stderr = self.stderr.take().and_then(|thread| thread.join().ok());
                let stderr = stderr.unwrap_or_default();
                return Err(format!("ended with {status} at its start: {}", stderr.trim()).into());
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("does not listen at {} in time", self.address).into());
            }
            thread::sleep(Duration::from_micros(50));
        }
    }

    /// Returns the CPU time that all of its threads have used (`/proc/PID/task/TID/schedstat`, first
    /// field; Documentation/scheduler/sched-stats.rst of the kernel). Threads that have ended do not
    /// count.
    pub(crate) fn cpu_time(&self) -> Result<Duration, Failure> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // A thread may end while this is read.
            let Ok(stat) = fs::read_to_string(task?.path().join("schedstat")) else {
                continue;
            };
            let spent = stat.split(' ').next().ok_or("an empty schedstat")?;
            total += spent.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(total))
    }

    /// Returns the bytes it holds in memory (`VmRSS`, proc_pid_status(5)).
    pub(crate) fn resident(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        Ok(kib.ok_or("no VmRSS in its status")?.parse::<f64>()? * 1024.0)
    }

    /// Sends SIGTERM, and returns when.
    pub(crate) fn stop(&self) -> Result<Instant, Failure> {
        let pid = Pid::from_child(&self.child);
        let at = Instant::now();
        kill_process(pid, Signal::TERM)?;
        Ok(at)
    }

    /// Does something while the process stands still.
    pub(crate) fn while_paused<T>(
        &self,
        action: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::STOP)?;
        let done = action();
        kill_process(pid, Signal::CONT)?;
        done
    }

    /// Waits for the end of the process in a thread, so that no interval of a poll is added to it.
    pub(crate) fn ended(mut self) -> JoinHandle<Result<(Instant, ExitStatus), Failure>> {
        thread::spawn(move || {
            let status = self.child.wait()?;
            Ok((Instant::now(), status))
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the thread of [`Server::ended`], and returns when the process ended.
///
/// # Errors
///
/// The process does not end within [`PATIENCE`], or waiting for it failed.
pub(crate) fn end_of(
    waiting: JoinHandle<Result<(Instant, ExitStatus), Failure>>,
) -> Result<Instant, Failure> {
    let since = Instant::now();
    while !waiting.is_finished() {
        if since.elapsed() > PATIENCE {
            return Err("does not end after SIGTERM".into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    Ok(waiting.join().map_err(|_| "the wait has panicked")??.0)
}

/// The command of a contender, with its environment.
fn command(contender: &Contender, address: SocketAddr) -> Result<Command, Failure> {
    let (program, arguments) = contender.command.split_first().ok_or("no command")?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("ADDR", address.to_string())
        .env("TIMER", "3600")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if let Some(files) = &contender.files {
        command.env("FILES", files);
    }
    for threads in ["THREADS", "SMOL_THREADS", "ASYNC_STD_THREAD_COUNT"] {
        command.env(threads, contender.threads.to_string());
    }
    Ok(command)
}

/// Returns an address with a port that is free at this moment.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Reads to the end, and returns the first 2,000 bytes.
fn read_beginning(mut stderr: impl Read) -> String {
    let mut kept = Vec::new();
    let _ = stderr.by_ref().take(2000).read_to_end(&mut kept);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&kept).into_owned()
}
