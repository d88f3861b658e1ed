//! A logger that keeps the records of each service apart, and can be slow, stuck or broken for one of them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use log::{LevelFilter, Log, Metadata, Record};
use neap::http::{AccessLog, App, Server};
use neap::{Error, Handle, Outcome};

use crate::http_support::{Client, eventually};
use crate::runtimes::Runtime;

/// How the logger is to the records of a service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Quick,
    /// It takes a millisecond for each.
    Slow,
    /// It takes none until it is in another mood.
    Stuck,
    /// It panics.
    Broken,
}

/// A record of the access log, or the number of those that were lost.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) target: String,
    pub(crate) text: String,
    pub(crate) thread: Option<String>,
    keys: HashMap<String, String>,
}

impl Kept {
    pub(crate) fn key(&self, key: &str) -> &str {
        self.keys.get(key).map_or("missing", String::as_str)
    }
}

struct Keeper {
    kept: Mutex<Vec<Kept>>,
    moods: Mutex<HashMap<String, Mood>>,
    /// What groups say that they wait for.
    drains: Mutex<Vec<String>>,
}

static KEEPER: std::sync::LazyLock<Keeper> = std::sync::LazyLock::new(|| Keeper {
    kept: Mutex::default(),
    moods: Mutex::default(),
    drains: Mutex::default(),
});

/// How often the logger has panicked.
static PANICS: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn panics() -> usize {
    PANICS.load(Ordering::Relaxed)
}

fn mood(service: &str) -> Mood {
    let moods = KEEPER.moods.lock().unwrap();
    moods.get(service).copied().unwrap_or(Mood::Quick)
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let mut keys = HashMap::new();
        let keep = |keys: &mut HashMap<_, _>, key: &str| {
            if let Some(value) = record.key_values().get(key.into()) {
                keys.insert(key.to_owned(), value.to_string());
            }
        };
        for key in [
            "event",
            "service",
            "method",
            "path",
            "version",
            "status",
            "bytes",
            "duration_us",
            "peer",
            "request_id",
            "cut",
            "lost",
        ] {
            keep(&mut keys, key);
        }
        let event = keys.get("event").map(String::as_str);
        let is_access = matches!(event, Some("request" | "access log full"));
        let is_draining = event == Some("still draining");
        if is_draining {
            let text = record.args().to_string();
            KEEPER.drains.lock().unwrap().push(text);
        }
        if !record.target().starts_with("neap") || !is_access {
            return;
        }
        let service = keys["service"].clone();
        match mood(&service) {
            Mood::Quick => {}
            Mood::Slow => thread::sleep(Duration::from_millis(1)),
            Mood::Stuck => eventually("another mood", || mood(&service) != Mood::Stuck),
            Mood::Broken => {
                PANICS.fetch_add(1, Ordering::Relaxed);
                panic!("as asked");
            }
        }
        KEEPER.kept.lock().unwrap().push(Kept {
            target: record.target().to_owned(),
            text: record.args().to_string(),
            thread: thread::current().name().map(str::to_owned),
            keys,
        });
    }

    fn flush(&self) {}
}

/// Puts the logger into a mood towards a service.
pub(crate) fn set_mood(service: &str, mood: Mood) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(LevelFilter::Info);
    });
    KEEPER
        .moods
        .lock()
        .unwrap()
        .insert(service.to_owned(), mood);
}

/// Returns true if a group has said that it waits for this.
pub(crate) fn waits_for(what: &str) -> bool {
    let drains = KEEPER.drains.lock().unwrap();
    drains.iter().any(|drain| drain.contains(what))
}

/// Returns what was kept of a service: the records of requests.
pub(crate) fn records(service: &str) -> Vec<Kept> {
    kept(service, "request")
}

/// Returns how many records of a service were said to be lost.
pub(crate) fn lost(service: &str) -> usize {
    let records = kept(service, "access log full");
    records
        .iter()
        .map(|record| record.key("lost").parse::<usize>().unwrap())
        .sum()
}

fn kept(service: &str, event: &str) -> Vec<Kept> {
    let kept = KEEPER.kept.lock().unwrap();
    let is_it = |kept: &&Kept| kept.key("service") == service && kept.key("event") == event;
    kept.iter().filter(is_it).cloned().collect()
}

/// A server with an access log, whose service has a name of its own.
pub(crate) struct Logged {
    pub(crate) addr: SocketAddr,
    pub(crate) handle: Handle<'static>,
    running: JoinHandle<Result<Outcome, Error>>,
}

/// Runs a server with an access log.
pub(crate) fn run<A: App + 'static>(name: &'static str, app: A, log: AccessLog) -> Logged {
    run_on(Runtime::InPlaceOnSmol, name, app, log)
}

pub(crate) fn run_on<A: App + 'static>(
    runtime: Runtime,
    name: &'static str,
    app: A,
    log: AccessLog,
) -> Logged {
    let moods = KEEPER.moods.lock().unwrap();
    let is_new = !moods.contains_key(name);
    drop(moods);
    if is_new {
        set_mood(name, Mood::Quick);
    }
    let server = Server::new(app, "127.0.0.1:0")
        .access_log(log)
        .bind()
        .unwrap();
    let addr = server.local_addrs()[0].tcp().unwrap();
    let mut group = runtime.group();
    group.add(name, server.into_service());
    let handle = group.handle();
    let running = thread::spawn(move || runtime.block_on(group.run()));
    Logged {
        addr,
        handle,
        running,
    }
}

impl Logged {
    pub(crate) fn connect(&self) -> Client {
        Client::connect(self.addr).unwrap()
    }

    /// Stops the server and waits for the end of the group.
    pub(crate) fn stop(self) -> Result<Outcome, Error> {
        self.handle.stop();
        self.wait()
    }

    pub(crate) fn wait(self) -> Result<Outcome, Error> {
        eventually("the end", || self.running.is_finished());
        self.running.join().unwrap()
    }
}
