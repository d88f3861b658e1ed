//! Clients that send requests one after the other, and count those that are lost.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use compare::Failure;

/// The limit on all that normally takes a moment.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// How long the first client waits before it tries again: a link may lose what it sends.
const ATTEMPT: Duration = Duration::from_secs(4);

/// Where the clients connect to: `10.0.0.1:80`, `[::1]:80` or `unix:/run/app.sock`.
#[derive(Debug, Clone)]
pub(crate) struct Target(pub(crate) String);

/// A connection that can be read and written.
trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

impl Target {
    /// Connects. Each later wait of the connection is limited as the connect is.
    fn connect(&self, limit: Duration) -> io::Result<Box<dyn Connection>> {
        if let Some(path) = self.0.strip_prefix("unix:") {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(limit))?;
            return Ok(Box::new(stream));
        }
        let address: SocketAddr = self.0.parse().map_err(io::Error::other)?;
        let stream = TcpStream::connect_timeout(&address, limit)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(limit))?;
        Ok(Box::new(stream))
    }

    /// Waits until a server answers here.
    ///
    /// # Errors
    ///
    /// None does in time.
    pub(crate) fn await_answer(&self) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            let answer = self
                .connect(ATTEMPT)
                .and_then(|mut stream| exchange(&mut *stream));
            match answer {
                Ok(_) => return Ok(()),
                Err(error) if began.elapsed() >= PATIENCE => {
                    let what = format!("nothing answers at {} in time: {error}", self.0);
                    return Err(what.into());
                }
                Err(_) => thread::sleep(Duration::from_millis(1)),
            }
        }
    }
}

/// What clients have seen.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Requests that were answered whole.
    pub(crate) answered: usize,
    /// Requests on a connection that the client had, without a whole answer.
    pub(crate) lost: usize,
    /// Connects that failed while a server was to be there.
    pub(crate) refused: usize,
    /// The longest wait for a connect or an answer after the stop.
    pub(crate) longest: Duration,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Tally) {
        self.answered += other.answered;
        self.lost += other.lost;
        self.refused += other.refused;
        self.longest = self.longest.max(other.longest);
    }
}

/// Sends requests until a connect fails after the stop. Every connect is tried again before it.
pub(crate) fn run(target: &Target, keep_alive: bool, stopping: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    loop {
        let began = Instant::now();
        let Ok(mut stream) = target.connect(PATIENCE) else {
            if stopping.load(Ordering::Acquire) {
                tally.longest = tally.longest.max(began.elapsed());
                return tally;
            }
            // The client's ports are all in use, for example.
            thread::sleep(Duration::from_millis(1));
            continue;
        };
        loop {
            let began = Instant::now();
            let exchanged = exchange(&mut *stream);
            if stopping.load(Ordering::Acquire) {
                tally.longest = tally.longest.max(began.elapsed());
            }
            match exchanged {
                Ok(close) => {
                    tally.answered += 1;
                    if close || !keep_alive {
                        break;
                    }
                }
                Err(_) => {
                    tally.lost += 1;
                    break;
                }
            }
        }
    }
}

/// Sends requests until it is over. Another server takes the place of the one before all the time, and
/// no connect is to fail.
pub(crate) fn run_through(target: &Target, keep_alive: bool, is_over: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    let is_over = || is_over.load(Ordering::Acquire);
    while !is_over() {
        let began = Instant::now();
        let mut stream = match target.connect(PATIENCE) {
            Ok(stream) => stream,
            Err(error) => {
                // The client's ports are all in use: that is no fault of a server.
                tally.refused += usize::from(error.kind() != io::ErrorKind::AddrNotAvailable);
                thread::sleep(Duration::from_millis(1));
                continue;
            }
        };
        let mut began = began;
        loop {
            let exchanged = exchange(&mut *stream);
            tally.longest = tally.longest.max(began.elapsed());
            match exchanged {
                Ok(is_last) => {
                    tally.answered += 1;
                    if is_last || !keep_alive || is_over() {
                        break;
                    }
                }
                Err(_) => {
                    tally.lost += 1;
                    break;
                }
            }
            began = Instant::now();
        }
    }
    tally
}

/// Connects and sends one request. A connect that fails loses none.
pub(crate) fn ask_once(target: &Target) -> Tally {
    let (mut tally, began) = (Tally::default(), Instant::now());
    if let Ok(mut stream) = target.connect(PATIENCE) {
        match exchange(&mut *stream) {
            Ok(_) => tally.answered += 1,
            Err(_) => tally.lost += 1,
        }
    }
    tally.longest = began.elapsed();
    tally
}

/// Sends a request and reads its response. Returns true if the connection ends with it.
fn exchange(stream: &mut dyn Connection) -> io::Result<bool> {
    stream.write_all(b"GET /hello HTTP/1.1\r\nHost: link\r\n\r\n")?;
    let (mut buffer, mut filled) = ([0; 2048], 0);
    loop {
        match stream.read(&mut buffer[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => filled += length,
        }
        let text = String::from_utf8_lossy(&buffer[..filled]);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            if body == "Hello World!" {
                return Ok(head.to_ascii_lowercase().contains("connection: close"));
            }
        }
    }
}
