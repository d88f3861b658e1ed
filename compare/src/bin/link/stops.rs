//! The command line, and the stops.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use compare::Failure;
use lexopt::prelude::*;
use rustix::process::{Pid, Signal, kill_process};

use crate::burst::Burst;
use crate::clients::{self, PATIENCE, Tally, Target};
use crate::delay;

/// What `--help` prints.
const HELP: &str = "\
Stops a server while clients are busy, and counts lost requests. Prints a row of a Markdown table.

link [FLAG ...] -- COMMAND ...

  --name TEXT         the first column
  --listen ADDRESS    what the server is told in the variable ADDR
  --to ADDRESS        where the clients connect to (what --listen says)
  --clients N         how many clients there are (128)
  --keep-alive        a connection has many requests, not one
  --burst MS          the clients connect at once, for one request each; the stop
                      comes MS later
  --waves N           as many again, N times (1)
  --held              the server's process is held (SIGSTOP) until the stop
  --stops N           how often the server is started and stopped (3)

link --while [--name, --to, --clients, --keep-alive] -- COMMAND ...

The clients are busy for as long as the command runs, which replaces the server again and again. A connect
that fails counts too, and no answer may be lost.

link --delay MS [--loss PERCENT]    carries frames between the two interfaces of its namespace

The exit code is 2 if a request was lost, or refused where none may be, and 1 if something else went wrong.
";

/// How long the clients are busy before the first stop. Each later stop comes a little later.
const WARM_UP: Duration = Duration::from_millis(300);

/// What the command line asks for.
struct Flags {
    name: String,
    listen: String,
    to: Option<String>,
    clients: usize,
    keep_alive: bool,
    /// How long after a burst of clients the stop comes; `None` if they go on.
    burst: Option<Duration>,
    waves: u32,
    held: bool,
    stops: u32,
    /// The command replaces a server that is there already.
    replaces: bool,
    delay: Option<Duration>,
    loss: u32,
    command: Vec<std::ffi::OsString>,
}

impl Flags {
    fn parse() -> Result<Option<Flags>, Failure> {
        let mut flags = Flags {
            name: "server".into(),
            listen: "127.0.0.1:8080".into(),
            to: None,
            clients: 128,
            keep_alive: false,
            burst: None,
            waves: 1,
            held: false,
            stops: 3,
            replaces: false,
            delay: None,
            loss: 0,
            command: Vec::new(),
        };
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Long("help") | Short('h') => return Ok(None),
                Long("name") => flags.name = parser.value()?.string()?,
                Long("listen") => flags.listen = parser.value()?.string()?,
                Long("to") => flags.to = Some(parser.value()?.string()?),
                Long("clients") => flags.clients = parser.value()?.parse()?,
                Long("keep-alive") => flags.keep_alive = true,
                Long("burst") => {
                    let millis = parser.value()?.parse()?;
                    flags.burst = Some(Duration::from_millis(millis));
                }
                Long("waves") => flags.waves = parser.value()?.parse()?,
                Long("held") => flags.held = true,
                Long("stops") => flags.stops = parser.value()?.parse()?,
                Long("while") => flags.replaces = true,
                Long("delay") => {
                    let millis: f64 = parser.value()?.parse()?;
                    flags.delay = Some(Duration::from_secs_f64(millis / 1e3));
                }
                Long("loss") => flags.loss = parser.value()?.parse()?,
                Value(word) => flags.command.push(word),
                _ => return Err(arg.unexpected().into()),
            }
        }
        Ok(Some(flags))
    }
}

/// Does what the command line asks for. Returns false if a request was lost.
///
/// # Errors
///
/// A flag is not understood, or the server does not start, answer or end as it must.
pub(crate) fn run() -> Result<bool, Failure> {
    let Some(flags) = Flags::parse()? else {
        print!("{HELP}");
        return Ok(true);
    };
    if let Some(delay) = flags.delay {
        return delay::run(delay, flags.loss).map(|()| true);
    }
    let target = Target(flags.to.clone().unwrap_or_else(|| flags.listen.clone()));
    if flags.replaces {
        return replace(&flags, &target);
    }
    let (mut all, mut lost, mut ends) = (Tally::default(), Vec::new(), Vec::new());
    for nth in 0..flags.stops {
        let (tally, end) = stop(&flags, &target, nth)?;
        all.add(&tally);
        lost.push(tally.lost);
        ends.push(end);
    }
    lost.sort_unstable();
    ends.sort_unstable();
    println!(
        "| {} | {} | {} | {} | {}..{} | {:.1} | {:.1} | {} |",
        flags.name,
        flags.stops,
        all.answered,
        all.lost,
        lost.first().unwrap_or(&0),
        lost.last().unwrap_or(&0),
        millis(ends.get(ends.len() / 2).copied().unwrap_or_default()),
        millis(ends.last().copied().unwrap_or_default()),
        all.longest.as_millis(),
    );
    Ok(all.lost == 0)
}

/// Has clients busy while the command replaces the server. Returns false if a request was lost or refused.
fn replace(flags: &Flags, target: &Target) -> Result<bool, Failure> {
    target.await_answer()?;
    let is_over = Arc::new(AtomicBool::new(false));
    let client = |_| {
        let (target, is_over) = (target.clone(), is_over.clone());
        let keep_alive = flags.keep_alive;
        thread::spawn(move || clients::run_through(&target, keep_alive, &is_over))
    };
    let clients: Vec<_> = (0..flags.clients).map(client).collect();
    thread::sleep(WARM_UP);
    let (program, arguments) = flags.command.split_first().ok_or("no command")?;
    let began = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .status();
    let lasted = began.elapsed();
    is_over.store(true, Ordering::Release);
    let mut all = Tally::default();
    for client in clients {
        all.add(&client.join().map_err(|_| "a client has panicked")?);
    }
    let status = status?;
    if !status.success() {
        return Err(format!("the command ended with {status}").into());
    }
    println!(
        "| {} | {:.1} | {} | {} | {} | {} |",
        flags.name,
        lasted.as_secs_f64(),
        all.answered,
        all.lost,
        all.refused,
        all.longest.as_millis(),
    );
    Ok(all.lost == 0 && all.refused == 0)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Starts a server and clients, and stops the server. Returns what the clients saw, and the time from
/// the signal to the exit.
fn stop(flags: &Flags, target: &Target, nth: u32) -> Result<(Tally, Duration), Failure> {
    let mut server = Server::start(flags)?;
    target.await_answer()?;
    if let Some(after) = flags.burst {
        return stop_after_burst(flags, target, server, after);
    }
    let stopping = Arc::new(AtomicBool::new(false));
    let client = |_| {
        let (target, stopping) = (target.clone(), stopping.clone());
        let keep_alive = flags.keep_alive;
        thread::spawn(move || clients::run(&target, keep_alive, &stopping))
    };
    let clients: Vec<_> = (0..flags.clients).map(client).collect();
    // Not always at the same point of a round trip.
    thread::sleep(WARM_UP + Duration::from_micros(700) * nth);
    stopping.store(true, Ordering::Release);
    let end = server.stop()?;
    let mut tally = Tally::default();
    for client in clients {
        tally.add(&client.join().map_err(|_| "a client has panicked")?);
    }
    Ok((tally, end))
}

/// Stops a server some time after clients have begun to connect, all at once.
fn stop_after_burst(
    flags: &Flags,
    target: &Target,
    mut server: Server,
    after: Duration,
) -> Result<(Tally, Duration), Failure> {
    if flags.held {
        server.signal(Signal::STOP)?;
    }
    let burst = Burst::begin(target, flags.clients, flags.waves)?;
    thread::sleep(after);
    // What was sent to a process that is held comes when it goes on.
    let end = server.stop()?;
    Ok((burst.join()?, end))
}

/// The process of a server. Dropping this kills it.
struct Server(Child);

impl Server {
    fn start(flags: &Flags) -> Result<Server, Failure> {
        let (program, arguments) = flags.command.split_first().ok_or("no command")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("ADDR", &flags.listen)
            .env("TIMER", "3600")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        for threads in ["THREADS", "SMOL_THREADS", "ASYNC_STD_THREAD_COUNT"] {
            command.env(threads, "1");
        }
        Ok(Server(command.spawn()?))
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }

    /// Sends SIGTERM, and returns how long the process took to end.
    fn stop(&mut self) -> Result<Duration, Failure> {
        let began = Instant::now();
        self.signal(Signal::TERM)?;
        self.signal(Signal::CONT)?;
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait()? {
                return match status.success() {
                    true => Ok(began.elapsed()),
                    false => Err(format!("the server ended with {status}").into()),
                };
            }
            thread::sleep(Duration::from_micros(200));
        }
        Err("the server does not end after SIGTERM".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
