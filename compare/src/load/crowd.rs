//! The clients of one thread.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::client::{Client, Step};
use super::loads::Load;
use super::pace::Pace;
use super::request::Template;
use super::{Tally, Until};
use crate::{Failure, PATIENCE};

/// How long the crowd waits for an event before it looks at the time.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// At a fixed rate the crowd does not wait: the next request is due in some microseconds.
const AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Clients that share an epoll instance. Each event carries the index of its client.
pub(super) struct Crowd {
    epoll: rustix::fd::OwnedFd,
    /// `None` for a client that has given up.
    clients: Vec<Option<Client>>,
    address: SocketAddr,
    load: &'static Load,
    template: Template,
    /// How many requests may still be sent.
    left: usize,
    per_second: Option<f64>,
    /// `None` until all clients are connected, or if the rate is not fixed.
    pace: Option<Pace>,
    /// Clients that have nothing to do, at a fixed rate.
    idle: VecDeque<usize>,
    tally: Tally,
}

impl Crowd {
    /// Connects a number of clients. `per_second` is the rate, if it is fixed; requests with another
    /// `seed` are new.
    pub(super) fn new(
        load: &'static Load,
        address: SocketAddr,
        clients: usize,
        per_second: Option<f64>,
        seed: usize,
    ) -> Result<Crowd, Failure> {
        let mut crowd = Crowd {
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            clients: Vec::new(),
            address,
            load,
            template: Template::new(load, address, seed),
            left: usize::MAX,
            per_second,
            pace: None,
            idle: VecDeque::new(),
            tally: Tally::default(),
        };
        crowd.clients.resize_with(clients, || None);
        for client in 0..clients {
            crowd.connect(client)?;
        }
        Ok(crowd)
    }

    fn connect(&mut self, at: usize) -> Result<(), Failure> {
        let client = match Client::connect(self.address, self.load) {
            Ok(client) => client,
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                self.clients[at] = None;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let data = EventData::new_u64(at as u64);
        epoll::add(
            &self.epoll,
            &client.stream,
            data,
            EventFlags::IN | EventFlags::OUT,
        )?;
        self.clients[at] = Some(client);
        Ok(())
    }

    /// Sends requests until that is over or every client has given up.
    pub(super) fn run(mut self, until: Until) -> Result<Tally, Failure> {
        if let Until::Answered(number) = until {
            (self.left, self.per_second) = (number, None);
        }
        let began = Instant::now();
        let mut last_progress = began;
        let mut events = Vec::with_capacity(256);
        while self.clients.iter().any(Option::is_some) {
            let before = self.tally.progress();
            self.turn(&mut events)?;
            let now = Instant::now();
            if self.tally.progress() != before {
                last_progress = now;
            }
            match until {
                Until::Elapsed(length) if now - began >= length && last_progress > began => break,
                Until::Answered(number) if self.tally.answered >= number => break,
                _ if now - last_progress > PATIENCE => {
                    return Err("does not answer any more".into());
                }
                _ => {}
            }
        }
        Ok(self.end(began.elapsed()))
    }

    /// Waits for events, and does what they make possible.
    fn turn(&mut self, events: &mut Vec<Event>) -> Result<(), Failure> {
        let timeout = if self.per_second.is_some() {
            AT_ONCE
        } else {
            TICK
        };
        events.clear();
        epoll::wait(&self.epoll, spare_capacity(events), Some(&timeout))?;
        for event in events.iter() {
            self.handle(*event)?;
        }
        match self.per_second {
            Some(per_second) => self.keep_pace(per_second, events.is_empty()),
            None => Ok(()),
        }
    }

    fn keep_pace(&mut self, per_second: f64, no_event: bool) -> Result<(), Failure> {
        if no_event {
            // The server may have this processor too.
            thread::yield_now();
        }
        let now = Instant::now();
        if self.pace.is_none() && self.idle.len() == self.clients.len() {
            self.pace = Some(Pace::new(now, per_second));
        }
        self.send_due(now)
    }

    fn handle(&mut self, event: Event) -> Result<(), Failure> {
        let at = usize::try_from(event.data.u64())?;
        let Some(client) = &mut self.clients[at] else {
            return Ok(());
        };
        let had_to_write = client.has_to_write();
        match client.step(event.flags, &mut self.tally)? {
            Step::Connected => self.ready(at, self.load.ahead)?,
            Step::Answered(number) => self.ready(at, number)?,
            Step::Gone { .. } if self.per_second.is_some() => {
                return Err("closed a connection".into());
            }
            Step::Gone { lost } => {
                self.tally.lost += usize::from(lost);
                return self.connect(at);
            }
            Step::Refused => self.clients[at] = None,
            Step::Nothing => {}
        }
        self.watch(at, had_to_write)
    }

    /// Gives a client the next requests, or none yet if the rate is fixed.
    fn ready(&mut self, at: usize, number: usize) -> Result<(), Failure> {
        match self.per_second {
            Some(_) => {
                self.idle.push_back(at);
                Ok(())
            }
            None => self.send(at, number, None),
        }
    }

    fn send(&mut self, at: usize, number: usize, due: Option<Instant>) -> Result<(), Failure> {
        let number = number.min(self.left);
        let Some(client) = self.clients[at].as_mut().filter(|_| number > 0) else {
            return Ok(());
        };
        self.left -= number;
        let template = &mut self.template;
        let write = |out: &mut Vec<u8>| (0..number).for_each(|_| template.write_next(out));
        let step = client.send(number, write, self.load.upload, due, &mut self.tally);
        match step {
            Step::Gone { lost } => {
                self.tally.lost += usize::from(lost);
                self.connect(at)
            }
            _ => Ok(()),
        }
    }

    /// Has the events told that a client waits for, if those are others than before.
    fn watch(&self, at: usize, had_to_write: bool) -> Result<(), Failure> {
        let Some(client) = &self.clients[at] else {
            return Ok(());
        };
        let events = match client.has_to_write() {
            same if same == had_to_write => return Ok(()),
            true => EventFlags::IN | EventFlags::OUT,
            false => EventFlags::IN,
        };
        let data = EventData::new_u64(at as u64);
        Ok(epoll::modify(&self.epoll, &client.stream, data, events)?)
    }

    /// Sends the requests that are due, as long as there are clients for them.
    fn send_due(&mut self, now: Instant) -> Result<(), Failure> {
        while let (Some(pace), Some(at)) = (&mut self.pace, self.idle.front().copied()) {
            let Some(due) = pace.take(now) else {
                break;
            };
            self.idle.pop_front();
            self.send(at, 1, Some(due))?;
            self.watch(at, false)?;
        }
        Ok(())
    }

    /// At a fixed rate, what was due and is not answered counts too, as if it were answered now.
    fn end(mut self, elapsed: Duration) -> Tally {
        self.tally.elapsed = elapsed;
        if let Some(pace) = &mut self.pace {
            let now = Instant::now();
            let waiting = self.clients.iter().flatten();
            let waiting = waiting.flat_map(|client| client.unanswered.iter().copied());
            for since in waiting.chain(std::iter::from_fn(|| pace.take(now))) {
                self.tally.add(now - since);
            }
        }
        self.tally
    }
}
