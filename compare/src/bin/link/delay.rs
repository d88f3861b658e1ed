//! A link with a delay and a loss, for kernels without netem (tc-netem(8)).
//!
//! It runs in a network namespace that has an interface to the client and one to the server, and no
//! addresses. One packet socket receives the frames of both (packet(7)). Each leaves on the other
//! interface, after the delay.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fd::{AsFd, OwnedFd};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrAny, SocketType, eth, recvfrom, sendto, socket,
    sockopt::set_socket_recv_buffer_size_force,
};

use compare::Failure;

/// The longest frame, in bytes. No interface here joins segments.
const LONGEST: usize = 2048;
/// How much the socket may keep, in bytes: it must not lose what the link does not.
const QUEUE: usize = 32 << 20;

/// The Ethernet address of one end.
type End = [u8; 6];

/// The ends, each with the packet address of its interface.
type Ends = Mutex<HashMap<End, SocketAddrAny>>;

/// A frame that is on its way.
struct Frame {
    due: Instant,
    from: End,
    bytes: Vec<u8>,
}

/// Carries frames until the process is killed.
///
/// # Errors
///
/// The socket cannot be opened, which takes `CAP_NET_RAW`, or it fails.
pub(crate) fn run(delay: Duration, loss_percent: u32) -> Result<(), Failure> {
    let socket = socket(AddressFamily::PACKET, SocketType::RAW, Some(eth::ALL))?;
    set_socket_recv_buffer_size_force(&socket, QUEUE)?;
    let (socket, ends) = (Arc::new(socket), Arc::new(Ends::default()));
    let (sender, frames) = channel();
    let (out, to) = (socket.clone(), ends.clone());
    thread::spawn(move || send(&out, &to, &frames));
    receive(&socket, &ends, &sender, delay, loss_percent)
}

/// Receives every frame, learns where its end is, and hands it on.
fn receive(
    socket: &OwnedFd,
    ends: &Ends,
    frames: &Sender<Frame>,
    delay: Duration,
    loss_percent: u32,
) -> Result<(), Failure> {
    let (mut buffer, mut random) = ([0; LONGEST], 0x2545_f491_u32);
    loop {
        let (length, _, interface) = recvfrom(socket, &mut buffer, RecvFlags::empty())?;
        let (Some(from), Some(interface)) = (buffer[..length].get(6..12), interface) else {
            continue;
        };
        let from = End::try_from(from)?;
        let mut known = ends.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(from).or_insert(interface);
        drop(known);
        // Marsaglia's xorshift.
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        if random % 100 >= loss_percent {
            let (due, bytes) = (Instant::now() + delay, buffer[..length].to_vec());
            frames.send(Frame { due, from, bytes })?;
        }
    }
}

/// Sends each frame to the other end when it is due. As all have the same delay, they are in order.
fn send(socket: impl AsFd, ends: &Ends, frames: &Receiver<Frame>) {
    for frame in frames {
        thread::sleep(frame.due.saturating_duration_since(Instant::now()));
        let known = ends.lock().unwrap_or_else(PoisonError::into_inner);
        let other = known.iter().find(|(end, _)| **end != frame.from);
        let Some((_, interface)) = other else {
            continue;
        };
        if let Err(error) = sendto(&socket, &frame.bytes, SendFlags::empty(), interface) {
            eprintln!("link: a frame is lost: {error}");
        }
    }
}
