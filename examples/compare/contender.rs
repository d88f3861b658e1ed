//! A server program that is measured: its process, and what the kernel says of it.
//!
//! It is told where to listen by `ADDR`, how many threads to have by `THREADS`, and after how many
//! seconds its timer fails by `TIMER`; it answers `GET /hello`, and `GET /slow` after 100 ms; and it
//! ends by itself on SIGTERM.

use std::fs;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::Failure;
use super::client::Client;

/// How long anything may take that is over in a moment.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Something to be measured.
#[derive(Debug, Clone)]
pub(crate) struct Contender {
    pub(crate) name: String,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    pub(crate) threads: usize,
}

impl Contender {
    /// Whether it is neap, on whatever runtime.
    pub(crate) fn is_ours(&self) -> bool {
        self.name.starts_with("neap ")
    }
}

/// Which processors the servers have, and which are left for the load.
#[derive(Debug, Clone)]
pub(crate) struct Processors {
    pub(crate) server: Vec<usize>,
    pub(crate) load: Vec<usize>,
}

impl Processors {
    /// Shares out those there are: the first so many are the server's.
    pub(crate) fn share(server: usize) -> Processors {
        let all = thread::available_parallelism().map_or(1, usize::from);
        let server = server.clamp(1, all);
        let load = if server == all { 0..all } else { server..all };
        Processors {
            server: (0..server).collect(),
            load: load.collect(),
        }
    }

    /// Has the calling thread, and whatever it starts from now on, run on these alone.
    pub(crate) fn pin(processors: &[usize]) -> io::Result<()> {
        let mut set = CpuSet::new();
        processors.iter().for_each(|processor| set.set(*processor));
        Ok(sched_setaffinity(None, &set)?)
    }
}

/// A contender's process, which has given its first answer. Killed with this.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// From before the process was there until its first answer had arrived.
    pub(crate) start: Duration,
    child: Child,
    complaints: Option<JoinHandle<String>>,
}

impl Server {
    /// Starts one, and waits for its first answer.
    pub(crate) fn start(contender: &Contender, processors: &Processors) -> Result<Server, Failure> {
        let address = free_address()?;
        let (program, arguments) = contender.command.split_first().ok_or("no command")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("ADDR", address.to_string())
            .env("TIMER", "3600");
        for threads in ["THREADS", "SMOL_THREADS", "ASYNC_STD_THREAD_COUNT"] {
            command.env(threads, contender.threads.to_string());
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // The child's threads are where the thread was that started it.
        Processors::pin(&processors.server)?;
        let began = Instant::now();
        let spawned = command.spawn();
        Processors::pin(&processors.load)?;
        let mut child = spawned.map_err(|error| format!("{program}: {error}"))?;
        let stderr = child.stderr.take();
        let mut server = Server {
            address,
            start: Duration::ZERO,
            child,
            complaints: stderr.map(|stderr| thread::spawn(move || gather(stderr))),
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
                let complaints = self.complaints.take().and_then(|thread| thread.join().ok());
                let complaints = complaints.unwrap_or_default();
                return Err(
                    format!("ended with {status} at its start: {}", complaints.trim()).into(),
                );
            }
            if began.elapsed() > PATIENCE {
                return Err(format!("does not listen at {} in time", self.address).into());
            }
            thread::sleep(Duration::from_micros(50));
        }
    }

    /// CPU time it has used, in all of its threads (`/proc/PID/task/TID/schedstat`, first field;
    /// Documentation/scheduler/sched-stats.rst of the kernel). Threads that have ended do not count.
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

    /// Bytes it holds in memory (`VmRSS`, proc_pid_status(5)).
    pub(crate) fn resident(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next());
        Ok(kib.ok_or("no VmRSS in its status")?.parse::<f64>()? * 1024.0)
    }

    /// Sends SIGTERM.
    pub(crate) fn stop(&self) -> Result<Instant, Failure> {
        let pid = Pid::from_child(&self.child);
        let at = Instant::now();
        kill_process(pid, Signal::TERM)?;
        Ok(at)
    }

    /// Waits for its end in a thread: nothing is late by the interval of a poll.
    pub(crate) fn ended(mut self) -> JoinHandle<Result<(Instant, ExitStatus), Failure>> {
        thread::spawn(move || {
            let status = self.child.wait()?;
            Ok((Instant::now(), status))
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, or is to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the thread that waits for a process has seen.
///
/// # Errors
///
/// The process goes on past [`PATIENCE`]; or the wait's own.
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

/// A port nobody listens on at this moment.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Reads to the end, and keeps the beginning.
fn gather(mut stderr: impl Read) -> String {
    let mut kept = Vec::new();
    let _ = stderr.by_ref().take(2000).read_to_end(&mut kept);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&kept).into_owned()
}
