//! The handshakes that are in flight, as the kernel names them (sock_diag(7)).
//!
//! A client's connect returns when the SYN-ACK reaches it. Half a round trip later its ACK reaches
//! this kernel, which makes a connection that can be accepted. In between, the handshake is a socket
//! in the state SYN_RECV, which a dump of the kernel's TCP sockets contains. `TCP_INFO` of a listener
//! does not count them, and `/proc/net/tcp` takes many times as long.
//!
//! The kernel puts the new connection in the place of the handshake under the lock that a dump takes,
//! with the same cookie, and in the state SYN_RECV until it is in the queue of the listener. So what a
//! dump does not name is either in the queue or has not begun.

use std::io;
use std::time::Duration;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use elsewhere::Diagnosis;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use linux::Diagnosis;

/// A handshake in flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Handshake {
    /// No two sockets of a machine have the same.
    pub(super) cookie: u64,
    /// When the kernel sends its part of the handshake again, from now on.
    pub(super) again_in: Duration,
}

/// The queue of connections that wait to be accepted from a listener.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queue {
    /// How many there are.
    pub(super) length: usize,
    /// If there are more, the queue is full (listen(2)). The number of handshakes in flight that the
    /// kernel stores has the same limit: it makes others that it does not name here (SYN cookies,
    /// RFC 4987, 3.6).
    pub(super) backlog: usize,
}

impl Diagnosis {
    /// Returns what is there, or opens it.
    ///
    /// # Errors
    ///
    /// Descriptors ran out, or the kernel cannot be asked.
    pub(super) fn of(diagnosis: &mut Option<Self>) -> io::Result<&mut Self> {
        match diagnosis {
            Some(diagnosis) => Ok(diagnosis),
            none => Ok(none.insert(Self::open()?)),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use std::io::{self, Read};
    use std::net::{IpAddr, SocketAddr};
    use std::time::Duration;

    use socket2::{Domain, Protocol, Socket, Type};

    use super::{Handshake, Queue};

    /// `NETLINK_SOCK_DIAG`, netlink(7).
    const SOCK_DIAG: i32 = 4;
    /// `SOCK_DIAG_BY_FAMILY`: the type of the request and of each answer.
    const BY_FAMILY: u16 = 20;
    /// `NLM_F_REQUEST` and `NLM_F_DUMP`.
    const DUMP: u16 = 0x301;
    /// `NLMSG_ERROR`.
    const ERROR: u16 = 2;
    /// `NLMSG_DONE`.
    const DONE: u16 = 3;
    /// The state of a handshake, from the kernel's `tcp_states.h`.
    const SYN_RECV: u8 = 3;
    /// The state of a listener.
    const LISTEN: u8 = 10;
    /// The length of `struct nlmsghdr`.
    const HEADER: usize = 16;
    /// The length of `struct inet_diag_msg`.
    const ANSWER: usize = 72;
    /// The longest message that the kernel makes for a dump, in bytes (`netlink_recvmsg`).
    const LONGEST: usize = 32 * 1024;

    /// A netlink socket that asks the kernel for TCP sockets. It needs no capability.
    #[derive(Debug)]
    pub(in crate::net) struct Diagnosis {
        socket: Socket,
    }

    impl Diagnosis {
        /// Opens the socket.
        ///
        /// # Errors
        ///
        /// Descriptors ran out, or a sandbox forbids netlink.
        pub(in crate::net) fn open() -> io::Result<Self> {
            let kind = Type::from(libc::SOCK_RAW);
            let protocol = Protocol::from(SOCK_DIAG);
            let socket = Socket::new(Domain::from(libc::AF_NETLINK), kind, Some(protocol))?;
            // The kernel makes each part of a dump while it is read, so a read never has to wait.
            socket.set_nonblocking(true)?;
            Ok(Self { socket })
        }

        /// Returns the handshakes that are in flight to a listener.
        ///
        /// # Errors
        ///
        /// The kernel does not know the request, or refuses it.
        pub(in crate::net) fn handshakes(
            &mut self,
            listener: SocketAddr,
        ) -> io::Result<Vec<Handshake>> {
            let mut found = Vec::new();
            self.dump(listener, SYN_RECV, |body| {
                found.push(Handshake {
                    cookie: cookie(body),
                    // `idiag_expires`, which is in milliseconds.
                    again_in: Duration::from_millis(long(body, 52).into()),
                });
            })?;
            Ok(found)
        }

        /// Returns the queue of a listener; the fullest one, if several listen at its address.
        ///
        /// The kernel has a table of listeners, which takes as long as that of the handshakes.
        ///
        /// # Errors
        ///
        /// The same, or the kernel does not know the listener.
        pub(in crate::net) fn queue(&mut self, listener: SocketAddr) -> io::Result<Queue> {
            let mut fullest: Option<Queue> = None;
            self.dump(listener, LISTEN, |body| {
                // `idiag_rqueue` and `idiag_wqueue`.
                let [length, backlog] = [56, 60].map(|at| long(body, at) as usize);
                if fullest.is_none_or(|queue| queue.length <= length) {
                    fullest = Some(Queue { length, backlog });
                }
            })?;
            fullest.ok_or_else(|| io::ErrorKind::NotFound.into())
        }

        /// Calls `each` with the `struct inet_diag_msg` of each socket in a state.
        fn dump(
            &mut self,
            listener: SocketAddr,
            state: u8,
            mut each: impl FnMut(&[u8]),
        ) -> io::Result<()> {
            self.socket.send(&request(listener, state))?;
            let mut buffer = vec![0; LONGEST];
            loop {
                let length = self.socket.read(&mut buffer)?;
                for message in Messages(&buffer[..length]) {
                    let body = &message[HEADER..];
                    match short(message, 4) {
                        DONE => return Ok(()),
                        ERROR => return Err(refusal(body)),
                        BY_FAMILY if body.len() >= ANSWER && is_at(body, listener) => each(body),
                        _ => {}
                    }
                }
            }
        }
    }

    /// Makes the request for a dump: `struct nlmsghdr` and `struct inet_diag_req_v2`.
    fn request(listener: SocketAddr, state: u8) -> [u8; HEADER + 56] {
        let mut bytes = [0; HEADER + 56];
        let length = bytes.len() as u32;
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        bytes[4..6].copy_from_slice(&BY_FAMILY.to_ne_bytes());
        bytes[6..8].copy_from_slice(&DUMP.to_ne_bytes());
        // A handshake has the family of its listener, also one over IPv4 with a listener on `[::]`.
        bytes[HEADER] = match listener {
            SocketAddr::V4(_) => libc::AF_INET as u8,
            SocketAddr::V6(_) => libc::AF_INET6 as u8,
        };
        bytes[HEADER + 1] = libc::IPPROTO_TCP as u8;
        bytes[HEADER + 4..HEADER + 8].copy_from_slice(&(1_u32 << state).to_ne_bytes());
        bytes[HEADER + 8..HEADER + 10].copy_from_slice(&listener.port().to_be_bytes());
        bytes
    }

    /// Returns true if a socket is bound where the listener is. Another may listen at the same port
    /// of another address.
    fn is_at(body: &[u8], listener: SocketAddr) -> bool {
        match listener.ip() {
            ip if ip.is_unspecified() => true,
            IpAddr::V4(ip) => body[8..12] == ip.octets(),
            // Handshakes over IPv4 do not name the address as an IPv6 one.
            IpAddr::V6(ip) => ip.to_ipv4_mapped().is_some() || body[8..24] == ip.octets(),
        }
    }

    /// Returns the cookie of a socket, `idiag_cookie`.
    fn cookie(body: &[u8]) -> u64 {
        u64::from(long(body, 44)) | u64::from(long(body, 48)) << 32
    }

    /// Returns the error of a `struct nlmsgerr`.
    fn refusal(body: &[u8]) -> io::Error {
        if body.len() < 4 {
            return io::ErrorKind::InvalidData.into();
        }
        io::Error::from_raw_os_error((long(body, 0) as i32).wrapping_neg())
    }

    fn short(bytes: &[u8], at: usize) -> u16 {
        u16::from_ne_bytes([bytes[at], bytes[at + 1]])
    }

    fn long(bytes: &[u8], at: usize) -> u32 {
        u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    }

    /// The messages of one read, each with its header.
    struct Messages<'b>(&'b [u8]);

    impl<'b> Iterator for Messages<'b> {
        type Item = &'b [u8];

        fn next(&mut self) -> Option<&'b [u8]> {
            if self.0.len() < HEADER {
                return None;
            }
            let length = long(self.0, 0) as usize;
            let message = self.0.get(..length).filter(|_| length >= HEADER)?;
            // Each begins at a multiple of 4 bytes (`NLMSG_ALIGN`).
            let next = length.next_multiple_of(4).min(self.0.len());
            self.0 = &self.0[next..];
            Some(message)
        }
    }
}

/// Other systems name no handshakes.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod elsewhere {
    use std::io;
    use std::net::SocketAddr;

    use super::{Handshake, Queue};

    /// There is none.
    #[derive(Debug)]
    pub(in crate::net) enum Diagnosis {}

    impl Diagnosis {
        pub(in crate::net) fn open() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(in crate::net) fn handshakes(&mut self, _: SocketAddr) -> io::Result<Vec<Handshake>> {
            match *self {}
        }

        pub(in crate::net) fn queue(&mut self, _: SocketAddr) -> io::Result<Queue> {
            match *self {}
        }
    }
}
