//! A server in a thread of its own, and clients on plain sockets.

#![allow(dead_code, unreachable_pub)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use neap::http::{App, Report, Server};
use neap::{Error, Group, Handle, Outcome};

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server.
pub struct Running {
    pub addr: SocketAddr,
    pub handle: Handle<'static>,
    thread: Option<JoinHandle<Result<Outcome, Error>>>,
    reports: Receiver<Report>,
}

/// How a server ended.
#[derive(Debug)]
pub struct Ended {
    pub result: Result<Outcome, Error>,
    /// How long it took from the call.
    pub took: Duration,
    pub report: Report,
}

/// Runs a server on a free port, in a group with a drain timeout of ten seconds.
pub fn run<A: App + 'static>(server: Server<A>) -> Running {
    run_in(Group::new(), server)
}

pub fn run_in<A: App + 'static>(group: Group<'static>, server: Server<A>) -> Running {
    let (report, reports) = channel();
    let server = server.on_drained(move |drained| drop(report.send(drained)));
    let server = server.bind().unwrap();
    let addr = server.local_addrs()[0].tcp().unwrap();
    let mut group = group;
    let (started, start) = channel();
    let service = server.into_service();
    group.add("http", move |scope| {
        started.send(()).unwrap();
        service(scope)
    });
    let handle = group.handle();
    let thread = thread::spawn(move || async_io::block_on(group.run()));
    // A stop that comes before the start would leave nothing to test.
    start.recv_timeout(PATIENCE).unwrap();
    Running {
        addr,
        handle,
        thread: Some(thread),
        reports,
    }
}

impl Running {
    /// A new connection.
    pub fn connect(&self) -> Client {
        Client::connect(self.addr).unwrap()
    }

    /// Waits for the server's end.
    pub fn wait(mut self) -> Ended {
        let start = Instant::now();
        let thread = self.thread.take().unwrap();
        eventually("the server's end", || thread.is_finished());
        Ended {
            result: thread.join().unwrap(),
            took: start.elapsed(),
            report: self.reports.recv_timeout(PATIENCE).unwrap(),
        }
    }

    /// Stops the server and waits for its end.
    pub fn stop(self) -> Ended {
        self.handle.stop();
        self.wait()
    }

    /// Whether the port refuses connections.
    pub fn refuses(&self) -> bool {
        TcpStream::connect(self.addr)
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.cancel();
    }
}

/// Waits until `done`, looking often.
#[track_caller]
pub fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "{what} does not come");
        thread::sleep(Duration::from_micros(200));
    }
}

/// A client on a plain socket.
pub struct Client {
    pub stream: TcpStream,
    /// What was read and not looked at.
    rest: Vec<u8>,
}

/// A response as it came.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// In lower case.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn closes(&self) -> bool {
        self.head.contains("\r\nconnection: close\r\n")
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Client {
    pub fn connect(addr: SocketAddr) -> std::io::Result<Client> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Client {
            stream,
            rest: Vec::new(),
        })
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        self.stream.write_all(bytes.as_ref()).unwrap();
        self
    }

    pub fn get(&mut self, path: &str) -> &mut Client {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"))
    }

    /// The next response, but for 100; `None` at the end of the file.
    pub fn try_answer(&mut self) -> std::io::Result<Option<Answer>> {
        let Some(head) = self.head()? else {
            return Ok(None);
        };
        let status = head[9..12].parse().unwrap();
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.map(|line| line.trim().to_owned())
        };
        let body = if let Some(length) = field("content-length:") {
            self.take(length.parse().unwrap())?
        } else if field("transfer-encoding:").is_some() {
            self.chunks()?
        } else if matches!(status, 101 | 204 | 304) {
            Vec::new()
        } else {
            while self.more()? {}
            std::mem::take(&mut self.rest)
        };
        Ok(Some(Answer { status, head, body }))
    }

    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        self.try_answer().unwrap().expect("an answer")
    }

    /// The next head, in lower case.
    pub fn head(&mut self) -> std::io::Result<Option<String>> {
        loop {
            if let Some(end) = find(&self.rest, b"\r\n\r\n") {
                let head: Vec<u8> = self.rest.drain(..end + 4).collect();
                return Ok(Some(String::from_utf8(head).unwrap().to_lowercase()));
            }
            if !self.more()? {
                return match self.rest.is_empty() {
                    true => Ok(None),
                    false => Err(ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }

    fn chunks(&mut self) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let end = loop {
                match find(&self.rest, b"\r\n") {
                    Some(end) => break end,
                    None if self.more()? => {}
                    None => return Err(ErrorKind::UnexpectedEof.into()),
                }
            };
            let line: Vec<u8> = self.rest.drain(..end + 2).collect();
            let size = std::str::from_utf8(&line[..end]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            let chunk = self.take(size + 2)?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Ok(body);
            }
        }
    }

    pub fn take(&mut self, length: usize) -> std::io::Result<Vec<u8>> {
        while self.rest.len() < length {
            if !self.more()? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.rest.drain(..length).collect())
    }

    /// Reads on until `text` has come.
    #[track_caller]
    pub fn read_until(&mut self, text: &str) {
        while find(&self.rest, text.as_bytes()).is_none() {
            assert!(self.more().unwrap(), "no {text}");
        }
    }

    fn more(&mut self) -> std::io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        let length = self.stream.read(&mut buffer)?;
        self.rest.extend_from_slice(&buffer[..length]);
        Ok(length > 0)
    }

    /// Whether the server closes without saying more, and without a reset.
    #[track_caller]
    pub fn is_closed(&mut self) -> bool {
        self.rest.is_empty() && !self.more().expect("an end of file, no reset")
    }

    pub fn finish(&mut self) -> &mut Client {
        self.stream.shutdown(Shutdown::Write).unwrap();
        self
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// An app with something of everything.
pub fn app() -> tide::Server<()> {
    use neap::http::{self, RequestExt};
    use tide::{Body, Request, Response};

    fn number(request: &Request<()>) -> tide::Result<u64> {
        Ok(request.param("n")?.parse()?)
    }

    let mut app = tide::new();
    app.at("/hello").get(|_| async { Ok("Hello World!") });
    app.at("/ready").get(http::ready());
    app.at("/slow/:n").get(|request: Request<()>| async move {
        async_io::Timer::after(Duration::from_millis(number(&request)?)).await;
        Ok("slow done")
    });
    // Holds up every other task of its thread, too.
    app.at("/block/:n").get(|request: Request<()>| async move {
        thread::sleep(Duration::from_millis(number(&request)?));
        Ok("block done")
    });
    app.at("/bytes/:n").get(|request: Request<()>| async move {
        Ok(Body::from_bytes(vec![b'x'; number(&request)? as usize]))
    });
    app.at("/until-stop")
        .get(|request: Request<()>| async move {
            request.stop_token().stopped().await;
            Ok(format!("{:?}", request.remaining_time().is_some()))
        });
    app.at("/echo").post(|mut request: Request<()>| async move {
        let length = request.len();
        Ok(Body::from_reader(request.take_body(), length))
    });
    app.at("/read")
        .post(|mut request: Request<()>| async move { request.body_string().await });
    app.at("/events").get(tide::sse::endpoint(
        |_, sender: tide::sse::Sender| async move {
            loop {
                sender.send("tick", "tock", None).await?;
                async_io::Timer::after(Duration::from_millis(5)).await;
            }
        },
    ));
    app.at("/panic").get(|request: Request<()>| async move {
        let path = request.url().path().to_owned();
        if path == "/panic" {
            panic!("as asked");
        }
        Ok(path)
    });
    app.at("/upgrade").get(|_| async {
        let mut response = Response::new(101);
        response.insert_header("upgrade", "echo");
        response.insert_header("connection", "upgrade");
        let inner: &mut http_types::Response = response.as_mut();
        let upgrade = inner.recv_upgrade().await;
        async_std::task::spawn(async move {
            use futures_lite::{AsyncReadExt, AsyncWriteExt};
            let Some(mut connection) = upgrade.await else {
                return;
            };
            let mut buffer = [0; 64];
            while let Ok(length @ 1..) = connection.read(&mut buffer).await {
                if connection.write_all(&buffer[..length]).await.is_err() {
                    return;
                }
            }
        });
        Ok(response)
    });
    app
}
