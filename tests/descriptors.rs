//! A process that runs out of descriptors: it stops accepting, spins on nothing, and goes on once it
//! has some again. Each story is a child process, this test binary again, with a limit of its own.

#![cfg(all(target_os = "linux", feature = "tide"))]

mod http_support;
mod runtimes;

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use futures_lite::AsyncReadExt;
use http_support::{Client, PATIENCE, app, eventually};
use neap::net::Stream;
use neap::{Group, http, net};
use runtimes::{Runtime, beside_all};

/// The variable that names the story, and the one that names the runtime.
const STORY: &str = "NEAP_TEST_STORY";
const RUNTIME: &str = "NEAP_TEST_RUNTIME";

/// How many descriptors the child may have. Some two dozen are its own.
const LIMIT: u64 = 64;
/// More connections than that.
const CONNECTIONS: usize = 100;

/// A server in a process of its own.
struct Told {
    child: Child,
    lines: BufReader<ChildStdout>,
    addr: SocketAddr,
}

impl Told {
    fn start(story: &str, runtime: Runtime) -> Told {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored", "--nocapture"])
            .env(STORY, story)
            .env(RUNTIME, format!("{runtime:?}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let addr = word(&mut lines, "listens on ").parse().unwrap();
        Told { child, lines, addr }
    }

    /// How long the child has been at work on a processor, in clock ticks.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let fields: Vec<_> = fields.split_whitespace().collect();
        // proc(5): utime and stime are the 14th and 15th, and two came before the parenthesis' end.
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    fn descriptors(&self) -> u64 {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        open.unwrap().count() as u64
    }

    /// Stops it, which has to end it well.
    fn stop(mut self) {
        drop(self.child.stdin.take());
        assert_eq!(word(&mut self.lines, "ended "), "well");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// The rest of the first line that has this beginning.
#[track_caller]
fn word(lines: &mut impl BufRead, beginning: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "no `{beginning}`");
        // The harness of the child writes into the same line.
        if let Some((_, rest)) = line.split_once(beginning) {
            return rest.trim_end().to_owned();
        }
    }
}

/// More connections than the child can take: it takes what it can, waits without spinning, and
/// takes the others as descriptors come free. Then it stops like any other.
fn exhaust(story: &str, runtime: Runtime) {
    let told = Told::start(story, runtime);
    let mut clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| Client::connect(told.addr).unwrap())
        .collect();
    eventually("the last descriptor", || told.descriptors() >= LIMIT);

    // It tries again now and then; a loop would take all of the time.
    let before = told.ticks();
    std::thread::sleep(Duration::from_millis(500));
    let spent = told.ticks() - before;
    assert!(spent <= 5, "{spent} of 50 ticks were spent waiting");

    // From the first: that is who was accepted. Each that leaves makes room for another.
    for client in &mut clients {
        client.get("/hello");
    }
    for mut client in clients {
        assert_eq!(client.answer().text(), "Hello World!");
    }
    told.stop();
}

#[test]
fn http_goes_on_once_it_has_descriptors_again() {
    beside_all(|runtime| exhaust("http", runtime));
}

#[test]
fn net_goes_on_once_it_has_descriptors_again() {
    beside_all(|runtime| exhaust("net", runtime));
}

/// Answers one request, whatever it is.
async fn answer(mut stream: Stream) -> std::io::Result<()> {
    use futures_lite::AsyncWriteExt;
    let mut request = [0; 1024];
    if stream.read(&mut request).await? > 0 {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\nHello World!";
        stream.write_all(answer).await?;
    }
    Ok(())
}

/// Not a test: what the children run.
#[test]
#[ignore = "told by the other tests"]
fn child() {
    let (Ok(story), Ok(runtime)) = (std::env::var(STORY), std::env::var(RUNTIME)) else {
        return;
    };
    let named = |each: &&Runtime| format!("{each:?}") == runtime;
    let runtime = *runtimes::ALL.iter().find(named).unwrap();
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = Some(LIMIT);
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();

    let mut group = runtime.group().drain_timeout(PATIENCE);
    let addr = serve(&story, &mut group);
    let handle = group.handle();
    std::thread::spawn(move || {
        // Up to the end of the file: until the parent lets go.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        handle.stop();
    });
    println!("listens on {addr}");
    let ended = runtime.block_on(group.run());
    println!("ended {}", if ended.is_ok() { "well" } else { "badly" });
    std::io::stdout().flush().unwrap();
}

fn serve(story: &str, group: &mut Group<'static>) -> SocketAddr {
    if story == "net" {
        let server = net::Server::new("127.0.0.1:0", |stream, _| answer(stream));
        let server = server.bind().unwrap();
        let addr = server.local_addrs()[0].tcp().unwrap();
        group.add("net", server.into_service());
        return addr;
    }
    let server = http::Server::new(app(), "127.0.0.1:0").bind().unwrap();
    let addr = server.local_addrs()[0].tcp().unwrap();
    group.add("http", server.into_service());
    addr
}
