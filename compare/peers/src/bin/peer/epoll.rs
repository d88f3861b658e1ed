//! The limit: fixed bytes on epoll, on one thread, or on several with a `SO_REUSEPORT` socket each.
//!
//! Nothing is looked at but where a head ends, at an empty line, and whether it begins with
//! `GET /hello `; all else gets a 404, `/slow` too. No `Date` is sent. At its best: edge-triggered,
//! where a read that does not fill the buffer is the last (epoll(7), question 9); all requests that
//! came at once are answered in one write; TCP_NODELAY.
//!
//! SIGINT and SIGTERM end the process at once, from within the handler, with the exit code 0 and
//! whatever is in flight.

mod connection;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_shutdown;

use self::connection::{Buffers, Connection};
use crate::settings::Settings;
use crate::version::version;
use crate::{Failure, Peer, anywhere, count, say};

pub const PEER: Peer = Peer {
    name: "epoll",
    title: || "raw epoll, fixed bytes".to_owned(),
    what: |threads| {
        let (rustix, threads) = (version("rustix"), count(threads, "thread"));
        format!("raw epoll by rustix {rustix}, fixed bytes, {threads}")
    },
    try_out: anywhere,
    serve,
};

const BACKLOG: i32 = 1024;

fn serve(settings: &Settings) -> Result<(), Failure> {
    for signal in [SIGINT, SIGTERM] {
        register_conditional_shutdown(signal, 0, Arc::new(AtomicBool::new(true)))?;
    }
    let mut server = Server::new(settings)?;
    for _ in 1..settings.threads {
        let mut server = Server::new(settings)?;
        thread::spawn(move || fail(server.run()));
    }
    let timer = timer(settings.timer)?;
    server.watch(&timer, EventFlags::IN)?;
    server.timer = Some(timer);
    server.run()
}

/// Takes the program down from a thread of its own.
fn fail(ended: Result<(), Failure>) {
    if let Err(failure) = ended {
        say(format_args!("epoll: {failure}"));
    }
    exit(1)
}

/// A descriptor that is readable after `timer`.
fn timer(timer: Duration) -> io::Result<OwnedFd> {
    let descriptor = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    // Nought would disarm it.
    let timer = timer.max(Duration::from_nanos(1));
    let times = Itimerspec {
        it_interval: Timespec::default(),
        it_value: timer.try_into().map_err(io::Error::other)?,
    };
    timerfd_settime(&descriptor, TimerfdTimerFlags::empty(), &times)?;
    Ok(descriptor)
}

/// What one thread does.
struct Server {
    epoll: OwnedFd,
    listener: OwnedFd,
    timer: Option<OwnedFd>,

    /// Each at the index that is its descriptor.
    connections: Vec<Option<Connection>>,
    buffers: Buffers,
}

impl Server {
    fn new(settings: &Settings) -> io::Result<Server> {
        let family = match settings.addr.is_ipv4() {
            true => AddressFamily::INET,
            false => AddressFamily::INET6,
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let listener = net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&listener, true)?;
        // Not for one alone: a second program at this address has to be refused.
        sockopt::set_socket_reuseport(&listener, settings.threads > 1)?;
        net::bind(&listener, &settings.addr)?;
        net::listen(&listener, BACKLOG)?;
        let server = Server {
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            listener,
            timer: None,
            connections: Vec::new(),
            buffers: Buffers::new(),
        };
        server.watch(&server.listener, EventFlags::IN)?;
        Ok(server)
    }

    fn watch(&self, descriptor: &OwnedFd, flags: EventFlags) -> io::Result<()> {
        let data = EventData::new_u64(descriptor.as_raw_fd() as u64);
        Ok(epoll::add(&self.epoll, descriptor, data, flags)?)
    }

    fn run(&mut self) -> Result<(), Failure> {
        let is =
            |descriptor: &OwnedFd, event: &Event| event.data.u64() == descriptor.as_raw_fd() as u64;
        let mut events = Vec::with_capacity(256);
        loop {
            match epoll::wait(&self.epoll, spare_capacity(&mut events), None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for event in events.drain(..) {
                if is(&self.listener, &event) {
                    self.accept();
                } else if self.timer.as_ref().is_some_and(|timer| is(timer, &event)) {
                    return Err("timer: xxx".into());
                } else {
                    self.serve(event);
                }
            }
        }
    }

    /// Takes all that wait. Out of descriptors, it looks again when epoll says so: at once.
    fn accept(&mut self) {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        while let Ok(socket) = net::accept_with(&self.listener, flags) {
            let events = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
            let nodelay = sockopt::set_tcp_nodelay(&socket, true);
            if nodelay.is_err() || self.watch(&socket, events).is_err() {
                continue;
            }
            let index = socket.as_raw_fd() as usize;
            if index >= self.connections.len() {
                self.connections.resize_with(index + 1, || None);
            }
            self.connections[index] = Some(Connection::new(socket));
        }
    }

    fn serve(&mut self, event: Event) {
        let slot = &mut self.connections[event.data.u64() as usize];
        let Some(connection) = slot else { return };
        let ending = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        let flags = event.flags;
        if connection
            .serve(&mut self.buffers, flags.intersects(ending))
            .is_err()
        {
            *slot = None;
        }
    }
}
