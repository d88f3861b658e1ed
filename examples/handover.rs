//! A parent that holds the listening sockets of a program, and replaces the program without a gap: for
//! those without systemd, and faster, as the new process is ready before the old one is stopped.
//!
//! ```text
//! cargo build --features http,systemd --example systemd --example handover
//! cd target/debug/examples; ./handover http=127.0.0.1:8080 -- ./systemd
//! pkill -HUP handover       # starts ./systemd once more, and stops the one before
//! ```
//!
//! Press Ctrl-C to stop both. `--stop-first` stops the old process before it starts the new one, as
//! `systemctl restart` does: clients wait in the queue of the socket meanwhile.
//!
//! The program finds the sockets by the protocol of sd_listen_fds(3), by `Address::from_env` or as `"systemd:http"`, and says by
//! that of sd_notify(3) when it is ready. If a new process ends or takes longer than 10 s before that, the old one stays.

#[path = "support/help.rs"]
mod help;

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus, id};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use futures_lite::{FutureExt, StreamExt};
use neap::{Group, Scope, signal};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use smol::process::{Child, Command};
use smol::{Async, Timer};

type Failure = Box<dyn Error + Send + Sync>;

/// How long a process may take until it is ready.
const START: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    help::on_request(include_str!("handover.rs"));
    let program = match Program::from_args() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("handover: {error}");
            return ExitCode::from(2);
        }
    };
    match smol::block_on(run(program)) {
        Ok(outcome) => outcome.into(),
        Err(error) => error.into(),
    }
}

async fn run(program: Program) -> Result<neap::Outcome, neap::Error> {
    let mut reload = signal::reload()?;
    // It waits for the program, whose own drain has an end.
    let mut group = Group::new()
        .narrate()
        .drain_timeout(Duration::MAX)
        .stop_on(signal::termination()?);
    group.add("program", async move |scope: Scope<'_>| {
        let mut current = program.start().await?;
        loop {
            match next(&scope, &mut reload, &mut current).await? {
                Next::Stop => return stop(current).await,
                Next::Replace if program.stop_first => {
                    stop_old(current).await;
                    current = program.start().await?;
                }
                Next::Replace => match program.start().await {
                    Ok(new) => stop_old(std::mem::replace(&mut current, new)).await,
                    Err(error) => {
                        eprintln!("handover: the old process stays: {error}");
                        continue;
                    }
                },
            }
            println!("replaced by {}", current.child.id());
        }
    });
    group.run().await
}

enum Next {
    Stop,
    Replace,
}

/// Waits for the stop, for a signal, or for the end of the process, which is a failure.
async fn next(
    scope: &Scope<'_>,
    reload: &mut signal::Signals,
    current: &mut Process,
) -> Result<Next, Failure> {
    let stopped = async {
        scope.stopped().await;
        Ok(Next::Stop)
    };
    let replace = async {
        reload.next().await;
        Ok(Next::Replace)
    };
    let ended = async { Err(format!("the program ended: {}", current.ended().await?).into()) };
    stopped.or(replace).or(ended).await
}

/// Stops a process, and waits until it has drained.
async fn stop(mut process: Process) -> Result<(), Failure> {
    if let Some(pid) = Pid::from_raw(process.child.id().try_into()?) {
        match kill_process(pid, Signal::TERM) {
            // It has ended: Ctrl-C reaches it too.
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let status = process.ended().await?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("the program stopped with {status}").into()),
    }
}

/// Stops a process that another has replaced. How it ends is no matter to that one.
async fn stop_old(process: Process) {
    if let Err(error) = stop(process).await {
        eprintln!("handover: the old process: {error}");
    }
}

/// A process, and where it says how it is.
struct Process {
    child: Child,
    notify: Async<UnixDatagram>,
    path: PathBuf,
}

impl Process {
    /// Waits until it has ended. What it says until then is read, and not needed.
    async fn ended(&mut self) -> io::Result<ExitStatus> {
        let Process { child, notify, .. } = self;
        let read = async {
            loop {
                notify.recv(&mut [0; 4096]).await?;
            }
        };
        read.or(child.status()).await
    }
}

/// Waits until a process says that it is ready.
async fn ready(notify: &Async<UnixDatagram>) -> Result<(), Failure> {
    let mut buffer = [0; 4096];
    loop {
        let length = notify.recv(&mut buffer).await?;
        let text = String::from_utf8_lossy(&buffer[..length]);
        if text.lines().any(|line| line == "READY=1") {
            return Ok(());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What is started, and the sockets that it is passed.
struct Program {
    command: Vec<OsString>,
    sockets: Vec<(String, OwnedFd)>,
    stop_first: bool,
}

impl Program {
    fn from_args() -> Result<Program, Failure> {
        let mut args = env::args_os().skip(1);
        let (mut sockets, mut stop_first) = (Vec::new(), false);
        for arg in args.by_ref().take_while(|arg| arg != "--") {
            let arg = arg.into_string().map_err(|_| "an argument is not UTF-8")?;
            match arg.split_once('=') {
                None if arg == "--stop-first" => stop_first = true,
                None => return Err(format!("`{arg}` is not NAME=ADDRESS").into()),
                Some((name, address)) => {
                    let bound = bind(address).map_err(|error| format!("{address}: {error}"))?;
                    sockets.push((name.to_owned(), bound));
                }
            }
        }
        let command: Vec<_> = args.collect();
        match command.is_empty() {
            true => Err(
                "usage: handover [--stop-first] NAME=ADDRESS .. -- PROGRAM [ARGUMENT ..]".into(),
            ),
            false => Ok(Program {
                command,
                sockets,
                stop_first,
            }),
        }
    }

    /// Starts a process, and waits until it is ready.
    async fn start(&self) -> Result<Process, Failure> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "handover-{}-{}",
            id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = env::temp_dir().join(name);
        let notify = Async::<UnixDatagram>::bind(&path)?;
        let mut command = std::process::Command::new(&self.command[0]);
        command.args(&self.command[1..]).env("NOTIFY_SOCKET", &path);
        self.pass(&mut command)?;
        let child = Command::from(command).kill_on_drop(true).spawn()?;
        let mut process = Process {
            child,
            notify,
            path,
        };
        let ready = ready(&process.notify);
        let ended =
            async { Err(format!("it ended with {}", process.child.status().await?).into()) };
        let late = async {
            Timer::after(START).await;
            Err(format!("it was not ready within {START:?}").into())
        };
        ready.or(ended).or(late).await?;
        Ok(process)
    }

    /// Has the process inherit the sockets, from descriptor 3 on.
    fn pass(&self, command: &mut std::process::Command) -> Result<(), Failure> {
        let (mut names, mut mappings) = (Vec::new(), Vec::new());
        for (child_fd, (name, socket)) in (3..).zip(&self.sockets) {
            let parent_fd = socket.try_clone()?;
            mappings.push(FdMapping {
                parent_fd,
                child_fd,
            });
            names.push(&**name);
        }
        command.env("LISTEN_FDS", names.len().to_string());
        command.env("LISTEN_FDNAMES", names.join(":"));
        command.fd_mappings(mappings)?;
        Ok(())
    }
}

/// Binds `HOST:PORT`, or `unix:PATH`.
fn bind(address: &str) -> io::Result<OwnedFd> {
    match address.strip_prefix("unix:") {
        Some(path) => UnixListener::bind(path).map(OwnedFd::from),
        None => TcpListener::bind(address).map(OwnedFd::from),
    }
}
