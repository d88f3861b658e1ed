//! Carries a plan out.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_executor::Executor;
use futures_lite::future;
use neap::http::{Access, AccessLog, App, Counters, Counts, Report, Server};
#[cfg(feature = "tide")]
use neap::http::{service, tide_service};
use neap::net::Address;
use neap::test::{Clock, Network};
use neap::{Group, Restart, restart};

use crate::app::{Ledger, Shared, app};
use crate::client::{Client, Connection};
#[cfg(feature = "tide")]
use crate::plan::Door;
use crate::plan::{End, Plan, Request, Settings};
#[cfg(feature = "tide")]
use crate::tide_app::tide_app;
use crate::wire::{Seen, ends};

/// When a group is stopped whose clients do not end.
const LATEST: u64 = 6_000;

/// What has happened in a round.
#[derive(Debug)]
pub struct History {
    pub connections: Vec<Connection>,
    pub ledgers: Vec<Arc<Ledger>>,
    pub counts: Counts,
    /// Of each server, what its access log has.
    pub records: Vec<Vec<Access>>,
    pub reports: Vec<Report>,
    /// When the stop and the cancel came, if they came, and when the group ended.
    pub stop: Option<Instant>,
    pub cancel: Option<Instant>,
    pub end: Instant,
    pub open_ends: usize,
    pub begin: Instant,
    /// Connections of probes, their requests, and the bytes of both sides.
    pub probes: u64,
    pub found: Vec<String>,
}

struct Round<'a> {
    plan: &'a Plan,
    network: Network,
    clock: Clock,
    executor: Arc<Executor<'static>>,
    counters: Counters,
    ledgers: Vec<Arc<Ledger>>,
    found: Mutex<Vec<String>>,
    begin: Instant,
}

/// What is set on each server.
struct Each {
    settings: Settings,
    counters: Counters,
    reports: Arc<Mutex<Vec<Report>>>,
    records: Records,
    network: Network,
    port: u16,
    clock: Clock,
}

type Records = Arc<Mutex<Vec<Access>>>;

impl Each {
    /// Adds a server, whose first run fails if it is to be restarted.
    fn add<A: App + 'static>(
        self,
        group: &mut Group<'static>,
        name: &'static str,
        app: impl Fn() -> A + Send + 'static,
    ) {
        let mut end = self.settings.restart.map(Duration::from_millis);
        let run = move |scope| {
            let (reports, address) = (Arc::clone(&self.reports), self.network.listen(self.port));
            let records = Arc::clone(&self.records);
            let log = AccessLog::new().capacity(100_000).only(move |access| {
                records.lock().unwrap().push(access.clone());
                false
            });
            let server = server(app(), address, &self.settings)
                .counters(&self.counters)
                .access_log(log)
                .on_drained(move |report| reports.lock().unwrap().push(report));
            let serving = server.into_service()(scope);
            let end = end.take().map(|end| self.clock.sleep(end));
            future::or(serving, async {
                match end {
                    Some(end) => end.await,
                    None => future::pending().await,
                }
                Err(io::Error::other("enough"))
            })
        };
        let policy = Restart::on_failure().backoff(Duration::ZERO, Duration::ZERO);
        group.add(name, restart(policy, run));
    }
}

/// Sets what a plan says.
fn server<A: App>(app: A, address: Address, settings: &Settings) -> Server<A> {
    let millis = Duration::from_millis;
    let mut server = Server::new(app, address)
        .lame_duck(millis(settings.lame_duck))
        .spread(millis(settings.spread))
        .wait_upgraded(settings.wait_upgraded)
        .half_close(settings.half_close)
        .linger(millis(settings.linger));
    if let Some(requests) = settings.max_requests {
        server = server.max_requests(requests);
    }
    if let Some(requests) = settings.max_in_flight {
        server = server.max_in_flight(requests);
    }
    if let Some(timeout) = settings.handler_timeout {
        server = server.handler_timeout(millis(timeout));
    }
    if let Some(age) = settings.max_connection_age {
        server = server.max_connection_age(millis(age));
    }
    if let Some(timeout) = settings.write_timeout {
        server = server.write_timeout(millis(timeout));
    }
    if let Some(quiet) = settings.quiet {
        server = server.lame_duck_quiet(millis(quiet));
    }
    if let Some(drain) = settings.own_drain {
        server = server.drain_timeout(millis(drain));
    }
    #[cfg(feature = "proxy-protocol")]
    if settings.is_proxied {
        let everybody = neap::net::ProxyProtocol::from_peers(["0.0.0.0/0", "::/0"]).unwrap();
        server = server.proxy_protocol(everybody);
    }
    server
}

pub fn run(plan: &Plan) -> History {
    let clock = Clock::new();
    let round = Round {
        plan,
        begin: clock.now(),
        clock,
        network: Network::with_capacity(plan.settings.capacity),
        executor: Arc::new(Executor::new()),
        counters: Counters::new(),
        ledgers: (0..plan.settings.servers).map(|_| Arc::default()).collect(),
        found: Mutex::default(),
    };
    round.run()
}

impl Round<'_> {
    fn run(self) -> History {
        let drain = Duration::from_millis(self.plan.settings.drain);
        let mut group = Group::new().clock(&self.clock).drain_timeout(drain);
        let reports = Arc::new(Mutex::new(Vec::new()));
        let records: Vec<Records> = self.ledgers.iter().map(|_| Arc::default()).collect();
        let requests: Arc<Vec<Request>> = Arc::new(self.plan.requests.clone());
        for (at, ledger) in self.ledgers.iter().enumerate() {
            let shared = Shared {
                requests: Arc::clone(&requests),
                ledger: Arc::clone(ledger),
                clock: self.clock.clone(),
                executor: Arc::clone(&self.executor),
            };
            let each = Each {
                settings: self.plan.settings.clone(),
                counters: self.counters.clone(),
                reports: Arc::clone(&reports),
                records: Arc::clone(&records[at]),
                network: self.network.clone(),
                port: 80 + at as u16,
                clock: self.clock.clone(),
            };
            let name = ["one", "two"][at];
            match self.plan.settings.door {
                #[cfg(feature = "tide")]
                Door::Tide => each.add(&mut group, name, move || tide_app(shared.clone())),
                #[cfg(feature = "tide")]
                Door::TideService => each.add(&mut group, name, move || {
                    service(tide_service(tide_app(shared.clone())))
                }),
                _ => each.add(&mut group, name, move || app(shared.clone())),
            }
        }
        let handle = group.handle();
        let (stop, cancel) = (Mutex::new(None), Mutex::new(None));
        let probes = Mutex::new(0);
        let clients = async {
            handle.started().await.unwrap();
            let all = self.clients().await;
            if matches!(self.plan.end, End::Late) && stop.lock().unwrap().is_none() {
                *probes.lock().unwrap() = self.probe().await;
                *stop.lock().unwrap() = Some(self.clock.now());
                handle.stop();
            }
            all
        };
        let ends = async {
            handle.started().await.unwrap();
            let (first, second) = match self.plan.end {
                End::Late => (LATEST, None),
                End::Stop(at) => (at, None),
                End::Cancel(at) => (at, Some(0)),
                End::Both(at, then) => (at, Some(then)),
            };
            self.sleep(first).await;
            if !matches!(self.plan.end, End::Cancel(_)) && stop.lock().unwrap().is_none() {
                *stop.lock().unwrap() = Some(self.clock.now());
                handle.stop();
            }
            let Some(second) = second else {
                return;
            };
            self.sleep(second).await;
            *cancel.lock().unwrap() = Some(self.clock.now());
            handle.cancel();
        };
        let group = async {
            let _ = group.run().await;
            self.clock.now()
        };
        let looks = self.look();
        let story = async {
            let story = future::zip(group, clients);
            future::or(async { Some(story.await) }, async {
                future::zip(ends, looks).await;
                None
            })
            .await
        };
        let executor = Arc::clone(&self.executor);
        let (end, connections) = self.clock.block_on(executor.run(story)).unwrap();
        // What the handlers have left behind sees the end.
        while executor.try_tick() {}
        let (stop, cancel) = (*stop.lock().unwrap(), *cancel.lock().unwrap());
        let probes = *probes.lock().unwrap();
        let reports = std::mem::take(&mut *reports.lock().unwrap());
        History {
            connections,
            counts: self.counters.read(),
            records: records
                .iter()
                .map(|all| std::mem::take(&mut *all.lock().unwrap()))
                .collect(),
            reports,
            stop,
            cancel,
            end,
            open_ends: self.network.open_ends(),
            begin: self.begin,
            probes,
            found: self.found.into_inner().unwrap(),
            ledgers: self.ledgers,
        }
    }

    async fn sleep(&self, millis: u64) {
        self.clock.sleep(Duration::from_millis(millis)).await;
    }

    /// Runs all clients to their ends.
    async fn clients(&self) -> Vec<Connection> {
        let clients = self.plan.clients.iter().map(|own| Client {
            plan: self.plan,
            own,
            network: self.network.clone(),
            clock: self.clock.clone(),
            done: Vec::new(),
        });
        let local = async_executor::LocalExecutor::new();
        let tasks: Vec<_> = clients.map(|client| local.spawn(client.run())).collect();
        local
            .run(async {
                let mut all = Vec::new();
                for task in tasks {
                    all.extend(task.await);
                }
                all
            })
            .await
    }

    /// Looks at the counters now and then: none but those of the present connections goes back.
    async fn look(&self) {
        let mut last = self.counters.read();
        // What is turned away counts, too, unless it is written at once.
        let settings = &self.plan.settings;
        let is_plain = settings.servers == 1 && settings.restart.is_none();
        let is_plain = is_plain && settings.capacity >= 64 * 1024;
        let are_well = self
            .plan
            .clients
            .iter()
            .all(|client| client.leave.is_well());
        let limit = settings.max_in_flight.filter(|_| is_plain && are_well);
        loop {
            let counts = self.counters.read();
            let answers = |counts: &Counts| counts.answers.iter().map(|(_, n)| n).sum::<u64>();
            let numbers = |counts: &Counts| {
                let Counts {
                    accepted,
                    cut,
                    received,
                    sent,
                    ..
                } = *counts;
                [accepted, cut, received, sent, answers(counts)]
            };
            let grows = numbers(&last)
                .iter()
                .zip(numbers(&counts))
                .all(|(a, b)| *a <= b);
            let running: usize = self.ledgers.iter().map(|ledger| ledger.running()).sum();
            let tally = counts.connections;
            let in_flight = tally.active + tally.responding;
            let is_right = running <= in_flight
                && tally.total() as u64 <= counts.accepted
                && limit.is_none_or(|limit| in_flight <= limit);
            if !grows || !is_right {
                let found = format!("{running} at work: {last:?}, then {counts:?}");
                self.found.lock().unwrap().push(found);
            }
            last = counts;
            let is_early = self.clock.now() - self.begin < Duration::from_secs(1);
            self.sleep(if is_early { 7 } else { 400 }).await;
        }
    }

    /// Asks each server whether it has the permits that it must have. Returns how many requests that were.
    async fn probe(&self) -> u64 {
        // What was left is found out.
        self.sleep(2500).await;
        let Some(limit) = self.plan.settings.max_in_flight else {
            return 0;
        };
        let tally = self.counters.read().connections;
        let is_late = self.clock.now() - self.begin > Duration::from_millis(LATEST - 200);
        let is_busy = is_late || tally.active + tally.responding > 0;
        if is_busy || self.plan.settings.handler_timeout == Some(0) {
            return 0;
        }
        let mut count = 0;
        for server in 0..self.plan.settings.servers {
            let local = async_executor::LocalExecutor::new();
            let probes: Vec<_> = (0..=limit)
                .map(|_| local.spawn(self.probe_once(server)))
                .collect();
            let statuses = local.run(async {
                let mut all = Vec::new();
                for probe in probes {
                    all.push(probe.await);
                }
                all
            });
            let mut statuses = statuses.await;
            count += statuses.len() as u64;
            statuses.sort_unstable();
            let mut expected = vec![200; limit];
            expected.push(503);
            if statuses != expected {
                let found = format!("permits of server {server}: {statuses:?}");
                self.found.lock().unwrap().push(found);
            }
        }
        count
    }

    async fn probe_once(&self, server: usize) -> u16 {
        let stream = self.network.connect(80 + server as u16).await;
        let Ok(stream) = stream else { return 0 };
        let (mut sender, mut reader) = ends(stream);
        if self.plan.settings.is_proxied {
            sender.send(b"PROXY UNKNOWN\r\n").await;
        }
        sender
            .send(b"GET /999999 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            .await;
        match reader.answer(false).await {
            Seen::Whole(head, 0) => head.status,
            _ => 0,
        }
    }
}
