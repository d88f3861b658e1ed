//! The load: clients that ask again as soon as they are answered, on threads of their own.
//!
//! Each thread has its share of the connections and one epoll instance (epoll(7)), level-triggered:
//! what a load generator such as wrk does, at about its cost.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use socket2::{Domain, Socket, Type};

use super::Failure;
use super::client::{self, parse};
use super::contender::{PATIENCE, Processors};

/// How long the load goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// So long.
    Elapsed(Duration),
    /// To the end of the server: a client whose connection was closed connects again, and gives up
    /// when that is refused.
    Refused,
}

/// What came of a load.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// From a request's last byte to its response's, in nanoseconds, for each that was answered.
    pub(crate) latencies: Vec<u32>,
    /// Requests that were sent whole, and whose response did not come whole.
    pub(crate) lost: usize,
    pub(crate) elapsed: Duration,
}

impl Tally {
    /// The latency in microseconds that so many of a hundred requests did not exceed.
    pub(crate) fn percentile(&mut self, percent: usize) -> f64 {
        let Some(last) = self.latencies.len().checked_sub(1) else {
            return f64::NAN;
        };
        let at = (self.latencies.len() * percent / 100).min(last);
        f64::from(*self.latencies.select_nth_unstable(at).1) / 1e3
    }

    fn merge(&mut self, other: Tally) {
        self.latencies.extend(other.latencies);
        self.lost += other.lost;
        self.elapsed = self.elapsed.max(other.elapsed);
    }
}

/// Has so many connections ask for `/hello`, one request on each at a time.
///
/// # Errors
///
/// A response is not what it must be, or the kernel refuses something a load cannot do without.
pub(crate) fn load(
    address: SocketAddr,
    connections: usize,
    until: Until,
    processors: &Processors,
) -> Result<Tally, Failure> {
    let threads = processors.load.len().min(connections).max(1);
    thread::scope(|scope| {
        let each = |nth: usize| {
            let share = connections / threads + usize::from(nth < connections % threads);
            scope.spawn(move || {
                Processors::pin(&processors.load).map_err(|error| error.to_string())?;
                // A boxed error stays in its thread.
                Crowd::new(address, share)
                    .and_then(|crowd| crowd.run(until))
                    .map_err(|error| error.to_string())
            })
        };
        let threads: Vec<_> = (0..threads).map(each).collect();
        let mut all = Tally::default();
        for thread in threads {
            all.merge(thread.join().map_err(|_| "the load has panicked")??);
        }
        Ok(all)
    })
}

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Waiting {
    Connected,
    /// A response, to a request that was sent whole at this instant.
    Answered(Instant),
}

#[derive(Debug)]
struct Client {
    stream: TcpStream,
    waiting: Waiting,
    buffer: [u8; 1024],
    filled: usize,
}

/// What came of an event.
enum Step {
    Answered {
        after: Duration,
        close: bool,
    },
    /// The connection is gone, and with it a request that was sent whole, or none.
    Gone {
        lost: bool,
    },
    Refused,
    Nothing,
}

impl Client {
    /// Begins to connect: whether it has is for an event to say.
    fn connect(address: SocketAddr) -> io::Result<Client> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() != Some(IN_PROGRESS) => return Err(error),
            _ => {}
        }
        Ok(Client {
            stream: socket.into(),
            waiting: Waiting::Connected,
            buffer: [0; 1024],
            filled: 0,
        })
    }

    /// Sends a request. It fits into the kernel's buffer whole, as nothing else is in there.
    fn send(&mut self, request: &[u8]) -> Step {
        match self.stream.write(request) {
            Ok(length) if length == request.len() => {
                self.waiting = Waiting::Answered(Instant::now());
                Step::Nothing
            }
            _ => Step::Gone { lost: false },
        }
    }

    fn step(&mut self, request: &[u8]) -> Result<Step, Failure> {
        let Waiting::Answered(sent) = self.waiting else {
            return Ok(match self.stream.take_error()? {
                None => self.send(request),
                Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => Step::Refused,
                Some(_) => Step::Gone { lost: false },
            });
        };
        match self.stream.read(&mut self.buffer[self.filled..]) {
            Ok(0) => return Ok(Step::Gone { lost: true }),
            Ok(length) => self.filled += length,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Step::Nothing),
            Err(_) => return Ok(Step::Gone { lost: true }),
        }
        let Some(response) = parse(&self.buffer[..self.filled])? else {
            return Ok(Step::Nothing);
        };
        if response.length != self.filled {
            return Err("answered more than was asked".into());
        }
        self.filled = 0;
        let (after, close) = (sent.elapsed(), response.close);
        Ok(Step::Answered { after, close })
    }
}

/// `EINPROGRESS`, connect(2).
const IN_PROGRESS: i32 = rustix::io::Errno::INPROGRESS.raw_os_error();

/// The clients of one thread.
struct Crowd {
    epoll: rustix::fd::OwnedFd,
    clients: Vec<Option<Client>>,
    address: SocketAddr,
    request: Vec<u8>,
    tally: Tally,
}

impl Crowd {
    fn new(address: SocketAddr, clients: usize) -> Result<Crowd, Failure> {
        let mut crowd = Crowd {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            clients: Vec::new(),
            address,
            request: client::request("/hello", address),
            tally: Tally::default(),
        };
        crowd.clients.resize_with(clients, || None);
        for client in 0..clients {
            crowd.connect(client)?;
        }
        Ok(crowd)
    }

    fn connect(&mut self, at: usize) -> Result<(), Failure> {
        let client = match Client::connect(self.address) {
            Ok(client) => client,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                self.clients[at] = None;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let data = EventData::new_u64(at as u64);
        epoll::add(&self.epoll, &client.stream, data, EventFlags::OUT)?;
        self.clients[at] = Some(client);
        Ok(())
    }

    fn run(mut self, until: Until) -> Result<Tally, Failure> {
        let began = Instant::now();
        let mut last_answer = began;
        let mut events = Vec::with_capacity(256);
        while self.clients.iter().any(Option::is_some) {
            let tick = Some(&rustix::event::Timespec {
                tv_sec: 0,
                tv_nsec: 100_000_000,
            });
            events.clear();
            epoll::wait(
                &self.epoll,
                rustix::buffer::spare_capacity(&mut events),
                tick,
            )?;
            let answered = self.tally.latencies.len();
            for event in &events {
                self.handle(event)?;
            }
            let now = Instant::now();
            if self.tally.latencies.len() > answered {
                last_answer = now;
            }
            match until {
                Until::Elapsed(length) if now - began >= length => break,
                _ if now - last_answer > PATIENCE => return Err("does not answer any more".into()),
                _ => {}
            }
        }
        self.tally.elapsed = began.elapsed();
        Ok(self.tally)
    }

    fn handle(&mut self, event: &Event) -> Result<(), Failure> {
        let at = usize::try_from(event.data.u64())?;
        let Some(client) = &mut self.clients[at] else {
            return Ok(());
        };
        let connecting = client.waiting == Waiting::Connected;
        let mut step = client.step(&self.request)?;
        if let Step::Answered { after, close } = step {
            self.tally
                .latencies
                .push(u32::try_from(after.as_nanos()).unwrap_or(u32::MAX));
            step = if close {
                Step::Gone { lost: false }
            } else {
                client.send(&self.request)
            };
        } else if connecting && matches!(step, Step::Nothing) {
            epoll::modify(&self.epoll, &client.stream, event.data, EventFlags::IN)?;
        }
        match step {
            Step::Gone { lost } => {
                self.tally.lost += usize::from(lost);
                self.connect(at)
            }
            Step::Refused => {
                self.clients[at] = None;
                Ok(())
            }
            Step::Answered { .. } | Step::Nothing => Ok(()),
        }
    }
}
