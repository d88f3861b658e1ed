//! The clients of one thread.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::client::{Client, Step, Waiting};
use super::{Tally, Until};
use crate::response::request;
use crate::{Failure, PATIENCE};

/// How long the crowd waits for an event before it looks at the time.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// Clients that share an epoll instance. Each event carries the index of its client.
pub(super) struct Crowd {
    epoll: rustix::fd::OwnedFd,
    /// `None` for a client that has given up.
    clients: Vec<Option<Client>>,
    address: SocketAddr,
    request: Vec<u8>,
    tally: Tally,
}

impl Crowd {
    pub(super) fn new(address: SocketAddr, clients: usize) -> Result<Crowd, Failure> {
        let mut crowd = Crowd {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            clients: Vec::new(),
            address,
            request: request("/hello", address),
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

    /// Sends requests until the time is over or every client has given up.
    pub(super) fn run(mut self, until: Until) -> Result<Tally, Failure> {
        let began = Instant::now();
        let mut last_answer = began;
        let mut events = Vec::with_capacity(256);
        while self.clients.iter().any(Option::is_some) {
            events.clear();
            epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&TICK))?;
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
            let nanos = u32::try_from(after.as_nanos()).unwrap_or(u32::MAX);
            self.tally.latencies.push(nanos);
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
