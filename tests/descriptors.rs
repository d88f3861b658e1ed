//! A process that runs out of descriptors: it stops accepting, spins on nothing, and goes on once it
//! has some again. Each scenario is a process of its own, with its own limit.

#![cfg(all(target_os = "linux", feature = "tide"))]

mod http_support;
mod runtimes;
mod support;

use std::io::Write;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use futures_lite::AsyncReadExt;
use http_support::{Client, PATIENCE, app, eventually};
use neap::net::Stream;
use neap::{Group, http, net};
use runtimes::{Runtime, beside_all};
use support::{Process, scenario, scenario_name};

/// The variable that names the runtime.
const RUNTIME: &str = "NEAP_TEST_RUNTIME";

/// How many descriptors the child may have. Some two dozen are its own.
const LIMIT: u64 = 64;
/// More connections than that.
const CONNECTIONS: usize = 100;

/// A server in a process of its own.
struct ServerProcess {
    process: Process,
    addr: SocketAddr,
}

impl ServerProcess {
    fn start(name: &str, runtime: Runtime) -> ServerProcess {
        let mut command = scenario("child", name);
        command
            .env(RUNTIME, format!("{runtime:?}"))
            .stdin(Stdio::piped());
        let mut process = Process::read_stdout(&mut command);
        let addr = process.read_until("listens on ").parse().unwrap();
        ServerProcess { process, addr }
    }

    /// Returns how long the process has run on a processor, in clock ticks.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let fields: Vec<_> = fields.split_whitespace().collect();
        // proc(5): utime and stime are the 14th and 15th, and two came before the parenthesis' end.
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    fn descriptors(&self) -> u64 {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.process.id()));
        open.unwrap().count() as u64
    }

    /// Stops the server by closing its standard input. It must end well.
    fn stop(self) {
        let (status, rest) = self.process.wait();
        assert!(status.success() && rest.contains("ended well"), "{rest}");
    }
}

/// More connections than the child can take: it takes what it can, waits without spinning, and
/// takes the others as descriptors come free. Then it stops like any other.
fn exhaust(name: &str, runtime: Runtime) {
    let server = ServerProcess::start(name, runtime);
    let mut clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| Client::connect(server.addr).unwrap())
        .collect();
    eventually("the last descriptor", || server.descriptors() >= LIMIT);

    // It tries again now and then; a loop would take all of the time.
    let before = server.ticks();
    std::thread::sleep(Duration::from_millis(500));
    let spent = server.ticks() - before;
    assert!(spent <= 5, "{spent} of 50 ticks were spent waiting");

    // From the first: that is who was accepted. Each that leaves makes room for another.
    for client in &mut clients {
        client.get("/hello");
    }
    for mut client in clients {
        assert_eq!(client.answer().text(), "Hello World!");
    }
    server.stop();
}

#[test]
fn http_goes_on_once_it_has_descriptors_again() {
    beside_all(|runtime| exhaust("http", runtime));
}

#[test]
fn net_goes_on_once_it_has_descriptors_again() {
    beside_all(|runtime| exhaust("net", runtime));
}

/// A stop while descriptors are out: new connections are refused, and those that clients have already
/// are all served, as descriptors come free.
fn stop_exhausted(name: &str, runtime: Runtime) {
    let mut server = ServerProcess::start(name, runtime);
    let mut clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| Client::connect(server.addr).unwrap())
        .collect();
    // The handlers of `net` end with their first answer, and give their descriptor back.
    let first = if name == "net" { LIMIT as usize } else { 0 };
    for client in &mut clients[first..] {
        client.get("/hello");
    }
    eventually("the last descriptor", || server.descriptors() >= LIMIT);
    server.process.close_stdin();
    eventually("the stop", || Client::connect(server.addr).is_err());
    for client in &mut clients[..first] {
        client.get("/hello");
    }
    for mut client in clients {
        assert_eq!(client.answer().text(), "Hello World!");
    }
    server.stop();
}

#[test]
fn http_loses_nobody_at_a_stop_without_descriptors() {
    beside_all(|runtime| stop_exhausted("http", runtime));
}

#[test]
fn net_loses_nobody_at_a_stop_without_descriptors() {
    beside_all(|runtime| stop_exhausted("net", runtime));
}

/// A stop while another part of the program has all descriptors, and no client is there: it has nothing
/// to wait for.
fn stop_without_clients(name: &str, runtime: Runtime) {
    let server = ServerProcess::start(name, runtime);
    server.stop();
}

#[test]
fn http_without_clients_stops_without_descriptors() {
    beside_all(|runtime| stop_without_clients("http, others have all", runtime));
}

#[test]
fn net_without_clients_stops_without_descriptors() {
    beside_all(|runtime| stop_without_clients("net, others have all", runtime));
}

#[test]
fn a_unix_socket_without_clients_is_closed_without_descriptors() {
    beside_all(|runtime| stop_without_clients("unix, others have all", runtime));
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
#[ignore = "run by the other tests, in processes of their own"]
fn child() {
    let (Some(name), Ok(runtime)) = (scenario_name(), std::env::var(RUNTIME)) else {
        return;
    };
    let named = |each: &&Runtime| format!("{each:?}") == runtime;
    let runtime = *runtimes::ALL.iter().find(named).unwrap();
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = Some(LIMIT);
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).unwrap();

    let mut group = runtime.group().drain_timeout(PATIENCE);
    let others_have_all = name.ends_with("others have all");
    let addr = serve(&name, &mut group);
    let handle = group.handle();
    std::thread::spawn(move || {
        // Up to the end of the file: until the parent lets go.
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = futures_lite::future::block_on(handle.started());
        let mut files = Vec::new();
        if others_have_all {
            while let Ok(file) = std::fs::File::open("/dev/null") {
                files.push(file);
            }
        }
        handle.stop();
        // Until the end of the process.
        std::mem::forget(files);
    });
    println!("listens on {addr}");
    let ended = runtime.block_on(group.run());
    println!("ended {}", if ended.is_ok() { "well" } else { "badly" });
    std::io::stdout().flush().unwrap();
}

fn serve(name: &str, group: &mut Group<'static>) -> SocketAddr {
    if name.starts_with("unix") {
        let path = std::env::temp_dir().join(format!("neap-none-{}.sock", std::process::id()));
        group.add("unix", net::serve(path, |stream, _| answer(stream)));
        return ([0; 4], 0).into();
    }
    if name.starts_with("net") {
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
