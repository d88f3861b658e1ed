//! The server and the group of an example, with every option as a flag.

use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::*;
use neap::http::{AccessLog, App, Server};
use neap::{Group, signal};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Serves an app, as the flags say, until a signal comes.
pub(crate) fn serve(app: impl App + 'static) -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    match smol::block_on(run(app)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(app: impl App + 'static) -> Result<(), Failure> {
    let flags = Flags::parse(app)?;
    let mut group = match flags.runtime.as_str() {
        "in-place" => Group::new(),
        "smol" => Group::on(smol::spawn),
        "async-std" => Group::on(async_std::task::spawn),
        other => {
            return Err(format!("--runtime is in-place, smol or async-std, not {other}").into());
        }
    };
    group = group
        .drain_timeout(flags.group_drain_timeout)
        .stop_on(signal::termination()?);
    if flags.print_grace {
        println!("{}", grace(&group)?);
        return Ok(());
    }
    group.add("http", flags.server.into_service());
    println!("{}", group.run().await?);
    Ok(())
}

/// Returns how many seconds the process needs from SIGTERM to its exit: `terminationGracePeriodSeconds` of
/// Kubernetes, without a `preStop`. One is for what is not the group: the start of its stop, and the exit.
fn grace(group: &Group<'_>) -> Result<u64, Failure> {
    let budget = group.stop_budget().ok_or("no drain timeout, no grace")?;
    Ok(budget.as_nanos().div_ceil(1_000_000_000) as u64 + 1)
}

struct Flags<A> {
    server: Server<A>,
    runtime: String,
    group_drain_timeout: Duration,
    print_grace: bool,
}

impl<A> Flags<A> {
    fn parse(app: A) -> Result<Flags<A>, Failure> {
        let (mut addresses, mut options) = (Vec::new(), Vec::new());
        let (mut runtime, mut group_drain_timeout) =
            ("in-place".to_owned(), Duration::from_secs(10));
        let (mut print_grace, mut access_log) = (false, false);
        let mut parser = lexopt::Parser::from_env();
        while let Some(flag) = parser.next()? {
            let Long(name) = flag else {
                return Err(flag.unexpected().into());
            };
            match name {
                "print-grace" => {
                    print_grace = true;
                    continue;
                }
                "access-log" => {
                    access_log = true;
                    continue;
                }
                _ => {}
            }
            let (name, value) = (name.to_owned(), parser.value()?.string()?);
            match name.as_str() {
                "addr" => addresses.push(value),
                "runtime" => runtime = value,
                "group-drain-timeout" => group_drain_timeout = duration(&value)?,
                _ => options.push((name, value)),
            }
        }
        if addresses.is_empty() {
            addresses.push("127.0.0.1:8080".into());
        }
        let mut server = Server::new(app, addresses);
        if access_log {
            server = server.access_log(AccessLog::new());
        }
        for (name, value) in options {
            server =
                set(server, &name, &value).map_err(|error| format!("--{name} {value}: {error}"))?;
        }
        Ok(Flags {
            server,
            runtime,
            group_drain_timeout,
            print_grace,
        })
    }
}

/// Sets the option of this name.
fn set<A>(server: Server<A>, name: &str, value: &str) -> Result<Server<A>, Failure> {
    Ok(match name {
        "lame-duck" => server.lame_duck(duration(value)?),
        "lame-duck-quiet" => server.lame_duck_quiet(duration(value)?),
        "drain-timeout" => server.drain_timeout(duration(value)?),
        "cancel-timeout" => server.cancel_timeout(duration(value)?),
        "handshake-grace" => server.handshake_grace(duration(value)?),
        "spread" => server.spread(duration(value)?),
        "idle-grace" => server.idle_grace(duration(value)?),
        "new-conn-grace" => server.new_conn_grace(duration(value)?),
        "drain-head-timeout" => server.drain_head_timeout(duration(value)?),
        "head-timeout" => server.head_timeout(duration(value)?),
        "body-timeout" => server.body_timeout(duration(value)?),
        "keep-alive-timeout" => server.keep_alive_timeout(duration(value)?),
        "write-timeout" => server.write_timeout(duration(value)?),
        "linger" => server.linger(duration(value)?),
        "half-close" => server.half_close(value.parse()?),
        "max-head" => server.max_head(value.parse()?),
        "max-body" => server.max_body(value.parse()?),
        "max-connections" => server.max_connections(value.parse()?),
        "max-connection-age" => server.max_connection_age(duration(value)?),
        "max-requests" => server.max_requests(value.parse()?),
        "max-in-flight" => server.max_in_flight(value.parse()?),
        "handler-timeout" => server.handler_timeout(duration(value)?),
        "backlog" => server.backlog(value.parse()?),
        "listener-shared" => server.listener_shared(value.parse()?),
        "wait-upgraded" => server.wait_upgraded(value.parse()?),
        "panics-fail" => server.panics_fail(value.parse()?),
        #[cfg(feature = "proxy-protocol")]
        "proxy-protocol" => {
            let proxies = neap::net::ProxyProtocol::from_peers(value.split(','))?;
            server.proxy_protocol(proxies)
        }
        _ => return Err("no such flag".into()),
    })
}

/// Parses `500ms`, `10s`, `2m 30s`.
fn duration(text: &str) -> Result<Duration, Failure> {
    Ok(humantime::parse_duration(text)?)
}
