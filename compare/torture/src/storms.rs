//! Storms: of signals, of connects, and of more connections than the server may open files.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};

use crate::child::{Server, command};
use crate::clients::{Client, FINITE};
use crate::connection::Connection;
use crate::serve::RUNTIMES;
use crate::settings::Settings;
use crate::tally::Tally;
use crate::{Failure, PATIENCE};

/// Storms of signals. Returns what is wrong.
pub(crate) fn signals(settings: &Settings) -> Result<Vec<String>, Failure> {
    let mut rng = Rng::with_seed(settings.seed);
    let mut wrong = early_signals(settings, &mut rng)?;
    for name in settings.servers(&RUNTIMES) {
        wrong.extend(interrupted(&name, settings, &mut rng)?);
        wrong.extend(many_terminations(&name)?);
    }
    Ok(wrong)
}

/// Sends SIGTERM in the first milliseconds of a process. Before its handler is in, that kills it.
fn early_signals(settings: &Settings, rng: &mut Rng) -> Result<Vec<String>, Failure> {
    const TRIES: usize = 300;
    let servers = settings.servers(&RUNTIMES);
    let (mut killed, mut latest, mut wrong) = (0, Duration::ZERO, Vec::new());
    for nth in 0..TRIES {
        let mut command = command(&servers[nth % servers.len()])?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let delay = Duration::from_micros(rng.u64(0..8_000));
        thread::sleep(delay);
        kill_process(Pid::from_child(&child), Signal::TERM)?;
        let began = Instant::now();
        let status = loop {
            match child.try_wait()? {
                Some(status) => break status,
                None if began.elapsed() > PATIENCE => {
                    child.kill()?;
                    wrong.push(format!("hangs after a signal {delay:?} from its start"));
                    break child.wait()?;
                }
                None => thread::sleep(Duration::from_micros(500)),
            }
        };
        if status.signal() == Some(15) {
            killed += 1;
            latest = latest.max(delay);
        } else if !status.success() {
            wrong.push(format!("{status} after a signal {delay:?} from its start"));
        }
    }
    println!(
        "{TRIES} signals within 8 ms of the start: {killed} before the handler was in, the latest after {latest:.1?}"
    );
    Ok(wrong)
}

/// Stops and continues a process (SIGSTOP, SIGCONT) all the time, under load and while it drains: each
/// wait of the kernel may then end with EINTR (signal(7)).
fn interrupted(name: &str, settings: &Settings, rng: &mut Rng) -> Result<Vec<String>, Failure> {
    let (server, tally) = (Server::start(name, &[])?, Tally::default());
    let (address, pid, over) = (server.address, server.pid(), AtomicBool::new(false));
    let ended = thread::scope(|scope| {
        for kind in FINITE.iter().filter(|kind| settings.wants(kind.name)) {
            let mut client = Client {
                address,
                grace: Duration::from_secs(1),
                rng: rng.fork(),
                tally: &tally,
            };
            scope.spawn(move || client.run(kind));
        }
        scope.spawn(|| {
            while !over.load(Relaxed) {
                let _ = kill_process(pid, Signal::STOP);
                let _ = kill_process(pid, Signal::CONT);
                thread::sleep(Duration::from_micros(300));
            }
        });
        thread::sleep(Duration::from_millis(200));
        let ended = server.stop();
        over.store(true, Relaxed);
        ended
    })?;
    let mut wrong = tally.faults();
    if !ended.is_clean() {
        wrong.push(format!("{}: {}", ended.status, ended.stdout));
    }
    Ok(wrong
        .into_iter()
        .map(|what| format!("{name}, interrupted: {what}"))
        .collect())
}

/// Sends a termination each 20 ms. Those within 100 ms are one; the second that counts cancels, later ones
/// kill: the process must be gone soon.
fn many_terminations(name: &str) -> Result<Vec<String>, Failure> {
    let server = Server::start(name, &[])?;
    let mut stalled = Connection::open(server.address, None)?;
    let _ = stalled.send("GET /events HTTP/1.1\r\nhost: a\r\n\r\n");
    let _ = stalled.take(100);
    let began = Instant::now();
    for _ in 0..50 {
        server.signal(Signal::TERM);
        thread::sleep(Duration::from_millis(20));
    }
    let ended = server.wait_since(began, PATIENCE)?;
    if ended.took > Duration::from_secs(5) {
        return Ok(vec![format!(
            "{name}: gone {:?} after 50 terminations",
            ended.took
        )]);
    }
    Ok(Vec::new())
}

/// A storm of connects that are closed or reset at once, beside a client that must be answered.
pub(crate) fn connects(settings: &Settings) -> Result<Vec<String>, Failure> {
    let mut wrong = Vec::new();
    for name in settings.servers(&RUNTIMES) {
        let (server, tally) = (Server::start(&name, &[])?, Tally::default());
        let (address, connects) = (server.address, AtomicUsize::new(0));
        let ended = thread::scope(|scope| {
            for nth in 0..4 {
                let connects = &connects;
                scope.spawn(move || connect_and_close(address, nth, connects));
            }
            for (nth, kind) in FINITE.iter().take(3).enumerate() {
                let mut client = Client {
                    address,
                    grace: Duration::from_secs(1),
                    rng: Rng::with_seed(settings.seed + nth as u64),
                    tally: &tally,
                };
                scope.spawn(move || client.run(kind));
            }
            thread::sleep(Duration::from_millis(700));
            server.stop()
        })?;
        let [answered, ..] = tally.counts();
        let connects = connects.load(Relaxed);
        println!(
            "{name}: {connects} connects closed at once, {answered} requests answered, exit after {:.1?}",
            ended.took
        );
        wrong.extend(
            tally
                .faults()
                .into_iter()
                .map(|what| format!("{name}: {what}")),
        );
        if !ended.is_clean() || ended.took > Duration::from_secs(8) {
            wrong.push(format!(
                "{name}: {}, {:?}: {}",
                ended.status, ended.took, ended.stdout
            ));
        }
    }
    Ok(wrong)
}

/// Connects and closes until it is refused, every other time with a reset.
fn connect_and_close(address: SocketAddr, nth: usize, connects: &AtomicUsize) {
    while let Ok(connection) = Connection::open(address, None) {
        let total = connects.fetch_add(1, Relaxed);
        if (total + nth) % 2 == 0 {
            connection.reset();
        }
    }
}

/// More connections than the server may open files. It must not spin, must answer those it has, and at
/// the stop must answer those that are in the kernel's queue.
pub(crate) fn descriptors(settings: &Settings) -> Result<Vec<String>, Failure> {
    let mut wrong = Vec::new();
    for name in settings.servers(&["in-place", "smol", "thread-pool"]) {
        let server = Server::start(&name, &["--descriptors", "64", "--grace", "2000"])?;
        let mut clients = Vec::new();
        for _ in 0..300 {
            clients.push(Connection::open(server.address, None)?);
        }
        thread::sleep(Duration::from_millis(200));
        let before = server.cpu_time()?;
        thread::sleep(Duration::from_secs(1));
        let spent = server.cpu_time()? - before;
        // Each has sent its request before the stop, and leaves once it is answered.
        for client in &mut clients {
            let _ = client.send("GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        }
        let address = server.address;
        let stopped = thread::spawn(move || server.stop().map_err(|error| error.to_string()));
        let answered = clients
            .into_iter()
            .map(|mut client| usize::from(client.answer(false).is_ok()));
        let lost = 300 - answered.sum::<usize>();
        let ended = stopped.join().map_err(|_| "the wait has panicked")??;
        println!(
            "{name}: {spent:.1?} of CPU in a second without descriptors; {lost} of 300 lost at the stop; exit after {:.1?}",
            ended.took
        );
        let refused = TcpStream::connect(address).is_err();
        let checks = [
            (
                spent > Duration::from_millis(300),
                format!("spins: {spent:?} in a second"),
            ),
            (
                lost > 0,
                format!("{lost} of 300 connections lost at the stop"),
            ),
            (
                !ended.is_clean(),
                format!("{}: {}", ended.status, ended.stdout),
            ),
            (!refused, "still listens".to_owned()),
        ];
        wrong.extend(
            checks
                .into_iter()
                .filter(|(is_wrong, _)| *is_wrong)
                .map(|(_, what)| format!("{name}: {what}")),
        );
    }
    Ok(wrong)
}
