//! `GET /hello` beside the peers: requests per second, and CPU time per request.
//!
//! `cargo run --release --bin http -- --rounds 7 --seconds 2`
//!
//! Each server is a process of its own with one thread for its work, pinned to one processor; the
//! load is `wrk` (Debian's package), one thread and 64 kept-alive connections, pinned to another.
//! Rounds are interleaved, each peer once in each; the table has medians, the spread beside them,
//! and the ratio to the first row.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

type Failure = Box<dyn std::error::Error>;

const BODY: &str = "Hello World!";

/// neap in place: the server runs in the task of whoever awaits the group.
fn neap() -> Result<(), Failure> {
    let mut app = tide::new();
    app.at("/hello").get(|_| async { Ok(BODY) });
    let server = neap::http::Server::new(app, "127.0.0.1:0").bind()?;
    announce(server.local_addrs()[0].tcp().ok_or("no address")?);
    let mut group = neap::Group::new();
    group.add("http", server.into_service());
    async_io::block_on(group.run())?;
    Ok(())
}

/// tide as its users have it today, on async-std with one thread.
fn tide_listen() -> Result<(), Failure> {
    let mut app = tide::new();
    app.at("/hello").get(|_| async { Ok(BODY) });
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    announce(listener.local_addr()?);
    async_std::task::block_on(app.listen(listener))?;
    Ok(())
}

/// axum as its documentation has it, on tokio's runtime of one thread, with TCP_NODELAY.
fn axum() -> Result<(), Failure> {
    use axum::serve::ListenerExt;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let app = axum::Router::new().route("/hello", axum::routing::get(|| async { BODY }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        announce(listener.local_addr()?);
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, app).await?;
        Ok(())
    })
}

/// actix-web with one worker.
fn actix() -> Result<(), Failure> {
    use actix_web::{App, HttpServer, web};
    let app = || App::new().route("/hello", web::get().to(|| async { BODY }));
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    announce(listener.local_addr()?);
    let server = HttpServer::new(app).workers(1).listen(listener)?;
    actix_web::rt::System::new().block_on(server.run())?;
    Ok(())
}

/// Go's gin, from `gin/main.go`; built here if there is a Go, and left out if not.
fn gin() -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;
    Err(Command::new(GIN).env("GOMAXPROCS", "1").exec().into())
}

/// Where the Go program is, once it has been built.
const GIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/gin");

fn build_gin() -> bool {
    let mut go = Command::new("go");
    go.args(["build", "-o", GIN, "main.go"]);
    go.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/gin"));
    // Where Debian's packages put Go libraries.
    go.envs([("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode")]);
    go.status().is_ok_and(|status| status.success())
}

fn announce(address: std::net::SocketAddr) {
    println!("{address}");
}

/// A peer: its name, and what serves.
type Peer = (&'static str, fn() -> Result<(), Failure>);

const GIN_NAME: &str = "Go's gin, no logger";

const PEERS: &[Peer] = &[
    ("neap + tide 0.16, in place", neap),
    ("axum 0.8 on tokio", axum),
    ("actix-web 4", actix),
    (GIN_NAME, gin),
    ("tide 0.16 `listen`", tide_listen),
];

/// One round: requests per second, and microseconds of CPU time per request.
#[derive(Clone, Copy)]
struct Figures {
    rate: f64,
    cpu: f64,
}

/// A server's process; killed with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// CPU time a process has used, user and system (proc_pid_stat(5), fields 14 and 15).
fn cpu_time(pid: u32) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(") ").ok_or("not a stat line")?.1;
    let fields: Vec<_> = after_name.split(' ').collect();
    let ticks = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    // Linux has had 100 ticks a second for as long as anyone can remember.
    Ok(Duration::from_millis(10 * ticks))
}

fn measure(peer: &str, seconds: u64) -> Result<Figures, Failure> {
    let own = std::env::current_exe()?;
    let mut child = Command::new("taskset")
        .args(["-c", "0"])
        .arg(own)
        .args(["--serve", peer])
        .env("ASYNC_STD_THREAD_COUNT", "1")
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().ok_or("no output")?;
    let server = Server(child);
    let mut address = String::new();
    BufReader::new(stdout).read_line(&mut address)?;
    let url = format!("http://{}/hello", address.trim());
    let wrk = |seconds: u64| {
        let (connections, length) = ("-c64", format!("-d{seconds}s"));
        let mut wrk = Command::new("taskset");
        wrk.args(["-c", "1", "wrk", "-t1", connections, &length, &url]);
        wrk.output()
    };
    wrk(1)?;
    let before = cpu_time(server.0.id())?;
    let output = String::from_utf8(wrk(seconds)?.stdout)?;
    let used = cpu_time(server.0.id())? - before;
    let line = output.lines().find(|line| line.contains("requests in"));
    let requests = line.and_then(|line| line.split_whitespace().next());
    let requests: f64 = requests.ok_or("no answer from wrk")?.parse()?;
    if output.contains("Non-2xx") {
        return Err(format!("{peer}: {output}").into());
    }
    Ok(Figures {
        rate: requests / seconds as f64,
        cpu: used.as_secs_f64() * 1e6 / requests,
    })
}

fn median(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    let last = values.len() - 1;
    [values[0], values[last / 2], values[last]]
}

fn main() -> Result<(), Failure> {
    use lexopt::prelude::*;
    let (mut rounds, mut seconds, mut only) = (7usize, 2u64, String::new());
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("rounds") => rounds = parser.value()?.parse()?,
            Long("seconds") => seconds = parser.value()?.parse()?,
            Long("only") => only = parser.value()?.string()?,
            Long("serve") => {
                let name = parser.value()?.string()?;
                let peer = PEERS.iter().find(|(peer, _)| *peer == name);
                return peer.ok_or("no such peer")?.1();
            }
            _ => return Err(arg.unexpected().into()),
        }
    }
    let has_gin = build_gin();
    let peers: Vec<_> = PEERS
        .iter()
        .filter(|(name, _)| name.contains(&only) && (has_gin || *name != GIN_NAME))
        .collect();
    let mut figures = vec![Vec::new(); peers.len()];
    for round in 1..=rounds {
        eprint!("\rround {round} of {rounds}");
        for ((name, _), figures) in peers.iter().zip(&mut figures) {
            figures.push(measure(name, seconds)?);
        }
    }
    eprintln!();
    println!(
        "| `GET /hello`, 64 connections, median of {rounds} rounds of {seconds} s | req/s (lowest to highest) | ratio | CPU, µs/request | ratio |"
    );
    println!("|---|---|---|---|---|");
    let rows: Vec<_> = figures
        .iter()
        .map(|f| {
            let rate = median(f.iter().map(|f| f.rate).collect());
            (rate, median(f.iter().map(|f| f.cpu).collect())[1])
        })
        .collect();
    for ((name, _), ([low, rate, high], cpu)) in peers.iter().zip(&rows) {
        let (rate_ratio, cpu_ratio) = (rate / rows[0].0[1], cpu / rows[0].1);
        println!(
            "| {name} | {rate:.0} ({low:.0} to {high:.0}) | {rate_ratio:.2} | {cpu:.1} | {cpu_ratio:.2} |"
        );
    }
    Ok(())
}
