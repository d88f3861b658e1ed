//! Sockets that were bound before the program started.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Stdio, id};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use futures_lite::AsyncWriteExt;
use neap::net::{self, Address};
use neap::{Group, Restart, restart, signal};

use crate::children::{run, say};
use crate::manager::command;
use crate::support::{LIMIT, Process, has};

/// The addresses of the servers of a scenario, with spaces in between.
const ADDRESSES: &str = "NEAP_TEST_ADDRESSES";

pub(crate) fn child(name: &str) -> bool {
    let addresses = env::var(ADDRESSES).unwrap_or_default();
    let addresses = addresses.split(' ').map(Address::from);
    match name {
        "serves" => serves(addresses),
        #[cfg(feature = "http")]
        "serves http" => serves_http(addresses),
        "serves or binds" => serves(addresses.map(|address| address.or("127.0.0.1:0"))),
        "serves by the environment" => serves([Address::from_env("127.0.0.1:0")].into_iter()),
        "serves, fails and serves" => serves_fails_and_serves(),
        "starts a child" => starts_a_child(),
        _ => panic!("no scenario `{name}`"),
    }
}

/// Each server sends its number and closes the connection.
fn serves(addresses: impl Iterator<Item = Address>) -> bool {
    let mut group = Group::new()
        .narrate()
        .stop_on(signal::termination().unwrap());
    for (number, address) in addresses.enumerate() {
        let server = net::serve(address, move |mut stream: net::Stream, _| async move {
            stream.write_all(format!("{number}\n").as_bytes()).await
        });
        group.add(format!("server {number}"), server);
    }
    run(group)
}

/// Answers each request with its path, and closes the connection.
#[cfg(feature = "http")]
fn serves_http(addresses: impl Iterator<Item = Address>) -> bool {
    use axum::http::Uri;
    use neap::http;

    let app = axum::Router::new().fallback(async |uri: Uri| uri.path().to_owned());
    let mut group = Group::new()
        .narrate()
        .stop_on(signal::termination().unwrap());
    let address = addresses.reduce(Address::and).unwrap();
    group.add("http", http::serve(http::service(app), address));
    run(group)
}

/// The service fails once it has served one connection, each time.
fn serves_fails_and_serves() -> bool {
    let policy = Restart::on_failure().backoff(Duration::ZERO, Duration::ZERO);
    let mut group = Group::new().stop_on(signal::termination().unwrap());
    let service = restart(policy, async |_| {
        let mut listeners = Address::from("systemd:http").bind()?;
        listeners.accept().await?.write_all(b"0\n").await?;
        Err::<(), _>(std::io::Error::other("enough"))
    });
    group.add("http", service);
    run(group)
}

fn starts_a_child() -> bool {
    let group = Group::new().systemd();
    let shell = "echo fds: ${LISTEN_FDS-none} pid: ${LISTEN_PID-none}; readlink /proc/self/fd/* | grep -c socket";
    let child = Command::new("sh")
        .args(["-c", shell])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(child.stdout).unwrap();
    say(&format!("child: {}", text.replace('\n', " ")));
    let address = Address::from("systemd:http");
    assert_eq!(address.bind().unwrap().local_addrs().len(), 1);
    run(group)
}

/// Has a process inherit these sockets under these names.
fn pass(command: &mut Command, sockets: Vec<(&str, OwnedFd)>) {
    let (names, sockets): (Vec<_>, Vec<_>) = sockets.into_iter().unzip();
    command.env("LISTEN_FDS", sockets.len().to_string());
    command.env("LISTEN_FDNAMES", names.join(":"));
    let mapping = |(child_fd, parent_fd)| FdMapping {
        parent_fd,
        child_fd,
    };
    command
        .fd_mappings((3..).zip(sockets).map(mapping).collect())
        .unwrap();
}

/// Starts servers at these addresses with these sockets, and returns what the process prints.
fn start(addresses: &str, sockets: Vec<(&str, OwnedFd)>) -> Process {
    let mut command = command("serves");
    pass(&mut command, sockets);
    Process::read_stderr(command.env(ADDRESSES, addresses).stdout(Stdio::null()))
}

fn tcp() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// A path of its own, which is removed at the end.
struct Path(PathBuf);

impl Path {
    fn new() -> Path {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "neap-passed-{}-{}",
            id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        Path(env::temp_dir().join(name))
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Reads the number of a server. A connection waits in the queue until one accepts.
fn number(mut stream: impl Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.trim().to_owned()
}

fn connect(listener: &TcpListener) -> TcpStream {
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

fn connect_unix(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(&path.0).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

#[test]
fn each_server_has_the_sockets_of_its_name() {
    let (http, second, path) = (tcp(), tcp(), Path::new());
    let admin = UnixListener::bind(&path.0).unwrap();
    let sockets = vec![
        ("http", http.try_clone().unwrap().into()),
        ("admin", admin.into()),
        ("http", second.try_clone().unwrap().into()),
    ];
    let process = start("systemd:http systemd:admin", sockets);
    assert_eq!(number(connect(&http)), "0");
    assert_eq!(number(connect(&second)), "0");
    assert_eq!(number(connect_unix(&path)), "1");
    process.send("TERM");
    assert!(process.wait().0.success());
    assert!(path.0.exists(), "it is who has bound it who removes it");
}

#[test]
fn without_a_name_a_server_has_all() {
    let (first, second) = (tcp(), tcp());
    let sockets = vec![
        ("x", first.try_clone().unwrap().into()),
        ("y", second.try_clone().unwrap().into()),
    ];
    let _process = start("systemd:", sockets);
    assert_eq!(number(connect(&first)), "0");
    assert_eq!(number(connect(&second)), "0");
}

#[test]
fn sockets_without_names_have_the_name_unknown() {
    let http = tcp();
    let mut command = command("serves");
    pass(&mut command, vec![("", http.try_clone().unwrap().into())]);
    command
        .env_remove("LISTEN_FDNAMES")
        .env(ADDRESSES, "systemd:unknown");
    let _process = Process::read_stdout(&mut command);
    assert_eq!(number(connect(&http)), "0");
}

#[test]
fn what_cannot_be_listened_on_is_an_error_that_says_what_was_there() {
    let two = || vec![("http", tcp().into()), ("admin", tcp().into())];
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listener = tcp();
    let client = connect(&listener);
    let file = fs::File::open("/dev/null").unwrap();
    for (addresses, sockets, told) in [
        (
            "systemd:web",
            two(),
            "cannot listen on systemd:web: no such socket was passed: LISTEN_FDNAMES has `http:admin`",
        ),
        (
            "systemd:http systemd:http",
            two(),
            "another server of this process listens on `http`",
        ),
        (
            "systemd:http",
            vec![("http", udp.into())],
            "`http` is a datagram socket",
        ),
        (
            "systemd:http",
            vec![("http", client.into())],
            "`http` is a connection: the unit of the socket has to have Accept=no",
        ),
        (
            "systemd:http",
            vec![("http", file.into())],
            "`http` is no socket of a stream",
        ),
    ] {
        let (status, printed) = start(addresses, sockets).wait();
        assert_eq!(status.code(), Some(1), "{printed}");
        assert!(printed.contains(told), "{printed}");
    }
}

#[test]
fn an_environment_that_is_wrong_is_an_error_that_says_where() {
    for (variable, value, told) in [
        ("LISTEN_FDS", "one", "LISTEN_FDS is `one`"),
        ("LISTEN_FDS", "-1", "LISTEN_FDS is `-1`"),
        ("LISTEN_FDS", "4000000000", "LISTEN_FDS is `4000000000`"),
        (
            "LISTEN_FDNAMES",
            "a:b",
            "LISTEN_FDS is 1, and LISTEN_FDNAMES has `a:b`",
        ),
        ("LISTEN_PID", "1", "LISTEN_PID is 1"),
        ("LISTEN_FDS", "", "LISTEN_FDS is not set"),
        ("LISTEN_FDS", "0", "LISTEN_FDS is 0"),
    ] {
        let mut command = command("serves");
        pass(&mut command, vec![("http", tcp().into())]);
        command
            .env(ADDRESSES, "systemd:http")
            .env(variable, value)
            .stdout(Stdio::null());
        let (status, printed) = Process::read_stderr(&mut command).wait();
        assert_eq!(status.code(), Some(1), "{printed}");
        assert!(printed.contains(told), "{printed}");
    }
}

#[test]
fn without_any_socket_the_other_address_is_bound() {
    for variables in [
        &[][..],
        &[("LISTEN_FDS", "0")],
        &[("LISTEN_FDS", "1"), ("LISTEN_PID", "1")],
    ] {
        let mut command = command("serves or binds");
        command.env(ADDRESSES, "systemd:http").stdout(Stdio::null());
        command.envs(variables.iter().copied());
        let mut process = Process::read_stderr(&mut command);
        let address = process.read_until("listens on ");
        assert_eq!(number(TcpStream::connect(address).unwrap()), "0");
    }
}

#[test]
fn a_name_that_was_not_passed_is_an_error_also_if_there_is_another_address() {
    let mut command = command("serves or binds");
    pass(&mut command, vec![("admin", tcp().into())]);
    command.env(ADDRESSES, "systemd:http").stdout(Stdio::null());
    let (status, printed) = Process::read_stderr(&mut command).wait();
    assert_eq!(status.code(), Some(1));
    assert!(printed.contains("LISTEN_FDNAMES has `admin`"), "{printed}");
}

#[test]
fn a_program_is_configured_by_the_environment() {
    // Without any variable, and with the host in another form.
    for (host, expected) in [
        (None, "127.0.0.1:"),
        (Some("::1"), "[::1]:"),
        (Some("[::1]"), "[::1]:"),
    ] {
        let mut command = command("serves by the environment");
        command
            .env_remove("HOST")
            .env("PORT", "")
            .stdout(Stdio::null());
        command.envs(host.map(|host| ("HOST", host)));
        let mut process = Process::read_stderr(&mut command);
        let address = process.read_until("listens on ");
        assert!(address.starts_with(expected), "{address}");
        assert_eq!(number(TcpStream::connect(address).unwrap()), "0");
    }
    // Bad ones do not matter if a socket was passed.
    let http = tcp();
    for passed in [None, Some(http.try_clone().unwrap())] {
        let mut command = command("serves by the environment");
        command.env("PORT", "http").stdout(Stdio::null());
        let is_passed = passed.is_some();
        if let Some(socket) = passed {
            pass(&mut command, vec![("any", socket.into())]);
        }
        let mut process = Process::read_stderr(&mut command);
        if is_passed {
            process.read_until("listens on ");
            assert_eq!(number(connect(&http)), "0");
        } else {
            let (status, printed) = process.wait();
            assert_eq!(status.code(), Some(1));
            let said = "PORT is `http`, expected a number from 0 to 65535";
            assert!(printed.contains(said), "{printed}");
        }
    }
}

#[test]
fn what_is_in_the_queue_at_a_stop_is_the_next_process_s() {
    let http = tcp();
    let passed = || vec![("http", http.try_clone().unwrap().into())];
    for _ in 0..3 {
        let process = start("systemd:http", passed());
        assert_eq!(number(connect(&http)), "0");
        process.send("TERM");
        assert!(process.wait().0.success());
        // Nobody accepts, and nobody refuses.
        let waiting = connect(&http);
        let next = start("systemd:http", passed());
        assert_eq!(number(waiting), "0");
        drop(next);
    }
}

#[cfg(feature = "http")]
#[test]
fn an_http_server_leaves_its_queue_too() {
    let http = tcp();
    let start = || {
        let mut command = command("serves http");
        pass(
            &mut command,
            vec![("http", http.try_clone().unwrap().into())],
        );
        command.env(ADDRESSES, "systemd:http").stdout(Stdio::null());
        Process::read_stderr(&mut command)
    };
    let ask = |mut stream: TcpStream| {
        stream
            .write_all(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .unwrap();
        let answer = number(stream);
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("/x"),
            "{answer}"
        );
    };
    for _ in 0..3 {
        let process = start();
        ask(connect(&http));
        process.send("TERM");
        assert!(process.wait().0.success());
        let waiting = connect(&http);
        let next = start();
        ask(waiting);
        drop(next);
    }
}

/// A process that stops leaves the queue as it is, also if connections come all the time.
#[test]
fn two_processes_that_accept_from_one_socket_lose_nothing() {
    let http = tcp();
    let passed = || vec![("http", http.try_clone().unwrap().into())];
    let address = http.local_addr().unwrap();
    let mut old = start("systemd:http", passed());
    old.read_until("listens on ");
    let until = Instant::now() + Duration::from_secs(2);
    let clients: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || {
                let mut answers = 0;
                while Instant::now() < until {
                    assert_eq!(number(TcpStream::connect(address).unwrap()), "0");
                    answers += 1;
                }
                answers
            })
        })
        .collect();
    while Instant::now() < until {
        let mut new = start("systemd:http", passed());
        new.read_until("listens on ");
        old.send("TERM");
        assert!(old.wait().0.success());
        old = new;
    }
    for client in clients {
        assert!(client.join().unwrap() > 0);
    }
}

#[test]
fn a_service_that_is_restarted_has_the_same_socket_again() {
    let http = tcp();
    let mut command = command("serves, fails and serves");
    pass(
        &mut command,
        vec![("http", http.try_clone().unwrap().into())],
    );
    let process = Process::read_stdout(command.env(ADDRESSES, ""));
    for _ in 0..3 {
        assert_eq!(number(connect(&http)), "0");
    }
    drop(process);
}

#[cfg(target_os = "linux")]
#[test]
fn child_processes_inherit_neither_the_sockets_nor_the_variables() {
    let mut command = command("starts a child");
    pass(
        &mut command,
        vec![("http", tcp().into()), ("admin", tcp().into())],
    );
    let mut process = Process::read_stdout(command.env(ADDRESSES, ""));
    assert_eq!(process.read_until("child: "), "fds: none pid: none 0");
    assert!(process.wait().0.success());
}

/// Returns a command that binds with systemd-socket-activate(1), which starts the servers at the first
/// connection; `None` without systemd.
fn activate(listen: &[&str], names: &str, addresses: &str) -> Option<Command> {
    let servers = command("serves");
    let mut command = Command::new("systemd-socket-activate");
    command.arg(format!("--fdname={names}"));
    for address in listen {
        command.arg(format!("--listen={address}"));
    }
    for (name, value) in servers.get_envs() {
        if let (Some(name), Some(value)) = (name.to_str(), value.and_then(|value| value.to_str())) {
            command.arg(format!("--setenv={name}={value}"));
        }
    }
    command.arg(format!("--setenv={ADDRESSES}={addresses}"));
    command.arg(servers.get_program()).args(servers.get_args());
    command.stdout(Stdio::null());
    has("systemd-socket-activate", "--version").then_some(command)
}

#[test]
fn systemd_socket_activate_passes_tcp_and_unix_sockets_by_name() {
    // It takes no port 0: another may take the port in between, and then it is tried again.
    for _ in 0..10 {
        let (port, path) = (tcp().local_addr().unwrap().to_string(), Path::new());
        let listen = [&*port, path.0.to_str().unwrap()];
        let Some(mut command) = activate(&listen, "http:admin", "systemd:http systemd:admin")
        else {
            return;
        };
        let mut process = Process::read_stderr(&mut command);
        if !process.read_until("Listening on ").starts_with(&port) {
            continue;
        }
        process.read_until("Listening on ");
        let (http, admin) = (TcpStream::connect(&port).unwrap(), connect_unix(&path));
        assert_eq!((number(http), number(admin)), ("0".into(), "1".into()));
        process.send("TERM");
        assert!(process.wait().0.success());
        return;
    }
    panic!("no port was free");
}

#[test]
fn systemd_socket_activate_and_a_name_that_it_did_not_pass() {
    let path = Path::new();
    let Some(mut command) = activate(&[path.0.to_str().unwrap()], "http", "systemd:web") else {
        return;
    };
    let mut process = Process::read_stderr(&mut command);
    process.read_until("Listening on ");
    let mut client = connect_unix(&path);
    let _ = client.write_all(b"x");
    let (status, printed) = process.wait();
    assert_eq!(status.code(), Some(1));
    assert!(printed.contains("LISTEN_FDNAMES has `http`"), "{printed}");
}
