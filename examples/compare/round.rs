//! One round of one contender: every story once, or a few times where it is short.

use std::thread;
use std::time::Duration;

use super::Failure;
use super::client::Client;
use super::contender::{Contender, Processors, Server, end_of};
use super::load::{Until, load};
use super::metric::{Metric, Samples};

/// How much is asked of each.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How long the load of a round goes on.
    pub(crate) length: Duration,
    /// Connections under load.
    pub(crate) connections: usize,
    /// Connections that idle.
    pub(crate) idle: usize,
    /// Starts and stops of an idle server.
    pub(crate) starts: usize,
    pub(crate) processors: Processors,
}

/// How long a server is left alone before what it holds is read.
const SETTLE: Duration = Duration::from_millis(400);
/// How long a load goes on before it counts, or before the signal.
const WARM_UP: Duration = Duration::from_millis(300);

/// Measures a contender once.
///
/// # Errors
///
/// It does not start, does not answer as it must, or does not end.
pub(crate) fn round(contender: &Contender, settings: &Settings) -> Result<Samples, Failure> {
    let mut samples = Samples::default();
    for _ in 0..settings.starts {
        start_and_stop(contender, settings, &mut samples)?;
    }
    slow_request(contender, settings, &mut samples)?;
    let server = Server::start(contender, &settings.processors)?;
    samples.add(Metric::Start, millis(server.start));
    idle_connections(&server, settings, &mut samples)?;
    under_load(&server, settings, &mut samples)?;
    stop_under_load(server, settings, &mut samples)?;
    Ok(samples)
}

/// A server that nobody talks to any more is told to stop.
fn start_and_stop(
    contender: &Contender,
    settings: &Settings,
    samples: &mut Samples,
) -> Result<(), Failure> {
    let server = Server::start(contender, &settings.processors)?;
    samples.add(Metric::Start, millis(server.start));
    thread::sleep(Duration::from_millis(20));
    let stopped = server.stop()?;
    samples.add(Metric::ExitIdle, millis(end_of(server.ended())? - stopped));
    Ok(())
}

/// The stop comes while a handler works; what counts is how long after its answer the exit is.
fn slow_request(
    contender: &Contender,
    settings: &Settings,
    samples: &mut Samples,
) -> Result<(), Failure> {
    let server = Server::start(contender, &settings.processors)?;
    let mut probe = Client::connect(server.address)?;
    probe.send("/slow")?;
    if probe.receive().is_err() {
        // This one has no such path.
        return Ok(());
    }
    drop(probe);
    let mut client = Client::connect(server.address)?;
    client.send("/slow")?;
    thread::sleep(Duration::from_millis(30));
    server.stop()?;
    let ended = server.ended();
    let answer = client.receive();
    let answered = std::time::Instant::now();
    drop(client);
    let ended = end_of(ended)?;
    // Without an answer there is nothing to count from: the figure is missing, as it should be.
    if answer.is_ok() {
        let after = ended.saturating_duration_since(answered);
        samples.add(Metric::ExitDrain, millis(after));
    }
    Ok(())
}

/// What it holds when nobody has anything to say, and what each connection adds to that.
fn idle_connections(
    server: &Server,
    settings: &Settings,
    samples: &mut Samples,
) -> Result<(), Failure> {
    thread::sleep(SETTLE);
    let before = server.resident()?;
    samples.add(Metric::Rest, before / 1e6);
    let mut clients = Vec::with_capacity(settings.idle);
    for _ in 0..settings.idle {
        let mut client = Client::connect(server.address)?;
        client.send("/hello")?;
        client.receive()?;
        clients.push(client);
    }
    thread::sleep(SETTLE);
    let grown = server.resident()? - before;
    samples.add(Metric::Connection, grown / 1e3 / settings.idle as f64);
    Ok(())
}

fn under_load(server: &Server, settings: &Settings, samples: &mut Samples) -> Result<(), Failure> {
    let load = |length| {
        let until = Until::Elapsed(length);
        load(
            server.address,
            settings.connections,
            until,
            &settings.processors,
        )
    };
    load(WARM_UP)?;
    let before = server.cpu_time()?;
    let mut tally = load(settings.length)?;
    let spent = server.cpu_time()? - before;
    if tally.lost > 0 {
        return Err(format!("lost {} requests with no stop", tally.lost).into());
    }
    if tally.latencies.is_empty() {
        return Err("has answered nothing".into());
    }
    let requests = tally.latencies.len() as f64;
    samples.add(Metric::Rate, requests / tally.elapsed.as_secs_f64());
    samples.add(Metric::Median, tally.percentile(50));
    samples.add(Metric::Tail, tally.percentile(99));
    samples.add(Metric::Cpu, spent.as_secs_f64() * 1e6 / requests);
    Ok(())
}

/// The stop comes while every connection is busy, and those whose connection ends come back.
fn stop_under_load(
    server: Server,
    settings: &Settings,
    samples: &mut Samples,
) -> Result<(), Failure> {
    let address = server.address;
    let (connections, processors) = (settings.connections, settings.processors.clone());
    let clients = thread::spawn(move || {
        load(address, connections, Until::Refused, &processors).map_err(|error| error.to_string())
    });
    thread::sleep(WARM_UP);
    let stopped = server.stop()?;
    let ended = end_of(server.ended())?;
    let tally = clients.join().map_err(|_| "the load has panicked")??;
    samples.add(Metric::ExitLoad, millis(ended - stopped));
    samples.add(Metric::Lost, tally.lost as f64);
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
