//! One round of one contender: every measurement once, and the short ones several times.

use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::client::Client;
use crate::contender::Contender;
use crate::load::{self, BURST, Demand, EMPTY, REALISTIC, Tally, Until};
use crate::metric::Metric;
use crate::processors::Processors;
use crate::samples::Samples;
use crate::server::{Server, end_of};

/// How much is measured in a round.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How long the load goes on.
    pub(crate) length: Duration,
    /// The number of connections under load.
    pub(crate) connections: usize,
    /// The number of idle connections.
    pub(crate) idle: usize,
    /// How often an idle server is started and stopped.
    pub(crate) starts: usize,
    pub(crate) processors: Processors,
}

impl Settings {
    /// The load with realistic heads.
    pub(crate) fn realistic(&self) -> Demand {
        Demand::new(REALISTIC, self.connections, None)
    }

    /// How long a server is left alone before its memory is read; less where the load is short.
    fn settle(&self) -> Duration {
        SETTLE.min(self.length)
    }
}

/// How long a server is left alone at most before its memory is read.
const SETTLE: Duration = Duration::from_millis(400);
/// How long a load goes on before it is measured, or before the signal.
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
    uploads(contender, settings, &mut samples)?;
    let server = Server::start(contender, &settings.processors)?;
    samples.add(Metric::Start, millis(server.start));
    memory(&server, settings, &mut samples)?;
    under_load(&server, settings, &mut samples)?;
    stop_under_load(server, settings, &mut samples)?;
    Ok(samples)
}

/// Stops a server that has no connections.
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

/// Stops a server while a handler works, and measures how long after its answer the process ends.
fn slow_request(
    contender: &Contender,
    settings: &Settings,
    samples: &mut Samples,
) -> Result<(), Failure> {
    let server = Server::start(contender, &settings.processors)?;
    let mut probe = Client::connect(server.address)?;
    probe.send("/slow")?;
    if probe.receive().is_err() {
        // This contender has no such path.
        return Ok(());
    }
    drop(probe);
    let mut client = Client::connect(server.address)?;
    client.send("/slow")?;
    thread::sleep(Duration::from_millis(30));
    server.stop()?;
    let ended = server.ended();
    let answer = client.receive();
    let answered = Instant::now();
    drop(client);
    let ended = end_of(ended)?;
    // Without an answer there is nothing to measure from, and the figure is left out.
    if answer.is_ok() {
        let after = ended.saturating_duration_since(answered);
        samples.add(Metric::ExitDrain, millis(after));
    }
    Ok(())
}

/// Measures the memory of a server at rest, how much each idle connection adds that asked by itself, and
/// how much when all have asked at the same moment.
fn memory(server: &Server, settings: &Settings, samples: &mut Samples) -> Result<(), Failure> {
    thread::sleep(settings.settle());
    let before = server.resident()?;
    samples.add(Metric::Rest, before / 1e6);
    let each = || {
        thread::sleep(settings.settle());
        let more = server.resident()? - before;
        Ok::<_, Failure>(more / 1e3 / settings.idle as f64)
    };
    let mut clients = Vec::with_capacity(settings.idle);
    for _ in 0..settings.idle {
        let mut client = Client::connect(server.address)?;
        client.send("/hello")?;
        client.receive()?;
        clients.push(client);
    }
    samples.add(Metric::Connection, each()?);
    server.while_paused(|| {
        clients
            .iter_mut()
            .try_for_each(|client| client.send("/hello"))
    })?;
    clients.iter_mut().try_for_each(Client::receive)?;
    samples.add(Metric::Crowded, each()?);
    Ok(())
}

/// Measures how much memory is left of a burst of uploads.
fn uploads(
    contender: &Contender,
    settings: &Settings,
    samples: &mut Samples,
) -> Result<(), Failure> {
    let server = Server::start(contender, &settings.processors)?;
    thread::sleep(settings.settle());
    let before = server.resident()?;
    let send = |load, requests| {
        let demand = Demand::new(load, settings.connections, None);
        let until = Until::Answered(requests);
        load::send(server.address, demand, until, &settings.processors.load)
    };
    if send(EMPTY, 1).is_err() {
        // This contender has no such path.
        return Ok(());
    }
    send(BURST, 4 * settings.connections)?;
    thread::sleep(settings.settle());
    samples.add(Metric::Burst, (server.resident()? - before) / 1e6);
    Ok(())
}

/// Measures the rate and latencies of the load with realistic heads, and the server's CPU time.
fn under_load(server: &Server, settings: &Settings, samples: &mut Samples) -> Result<(), Failure> {
    let (mut tally, spent) = loaded(server, settings, settings.realistic())?;
    let requests = tally.answered as f64;
    samples.add(Metric::Rate, requests / tally.elapsed.as_secs_f64());
    samples.add(Metric::Median, tally.percentile(50.0));
    samples.add(Metric::Tail, tally.percentile(99.0));
    samples.add(Metric::Cpu, spent.as_secs_f64() * 1e6 / requests);
    Ok(())
}

/// Puts a load on a server, after one request and a moment to warm up. Returns what was counted, and the
/// CPU time that the server has spent on it.
///
/// # Errors
///
/// The server does not answer, or not what it must, or has lost a request.
pub(crate) fn loaded(
    server: &Server,
    settings: &Settings,
    demand: Demand,
) -> Result<(Tally, Duration), Failure> {
    let send = |until| load::send(server.address, demand, until, &settings.processors.load);
    // The time may be over before the end of a large body, which is looked at here.
    send(Until::Answered(1))?;
    send(Until::Elapsed(WARM_UP.min(settings.length)))?;
    let before = server.cpu_time()?;
    let tally = send(Until::Elapsed(settings.length))?;
    let spent = server.cpu_time()? - before;
    if tally.lost > 0 {
        return Err(format!("lost {} requests with no stop", tally.lost).into());
    }
    Ok((tally, spent))
}

/// Stops a server while every connection is busy. A client whose connection ends connects again.
fn stop_under_load(
    server: Server,
    settings: &Settings,
    samples: &mut Samples,
) -> Result<(), Failure> {
    let address = server.address;
    let (demand, processors) = (settings.realistic(), settings.processors.load.clone());
    let clients = thread::spawn(move || {
        load::send(address, demand, Until::Refused, &processors).map_err(|error| error.to_string())
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
