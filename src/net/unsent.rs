//! What of the bytes written to a socket has not left it.

use std::os::raw::c_int;
use std::os::unix::io::{AsFd, AsRawFd};

/// Returns how many of the bytes written to a socket its peer has not taken: over TCP the peer's kernel,
/// on a Unix socket the peer itself, there with an overhead. 0 if the system does not tell.
///
/// It is `SIOCOUTQ` of tcp(7), which unix(7) sockets have too. No crate in the tree has it as a safe
/// function. The other way, sock_diag(7), takes a socket of its own, and 100 µs.
#[allow(unsafe_code)]
pub(super) fn unsent(socket: &impl AsFd) -> usize {
    let mut bytes: c_int = 0;
    // SAFETY: the descriptor is borrowed, so it is open. The request is `SIOCOUTQ` by its other name:
    // it writes one int, and the pointer is to one that lives until the call is over.
    let result = unsafe {
        let descriptor = socket.as_fd().as_raw_fd();
        libc::ioctl(descriptor, libc::TIOCOUTQ, &raw mut bytes)
    };
    match result {
        0 => usize::try_from(bytes).unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Writes until nothing fits, and reads all of it at the other end.
    fn fill_and_take(mut writer: impl Write + AsFd, mut reader: impl Read) {
        assert_eq!(unsent(&writer), 0);
        let (mut written, part) = (0, [0; 4096]);
        while let Ok(bytes) = writer.write(&part) {
            written += bytes;
        }
        let at_first = unsent(&writer);
        assert!(at_first > 0);
        let mut taken = vec![0; written];
        reader.read_exact(&mut taken[..written / 2]).unwrap();
        assert!(unsent(&writer) < at_first);
        reader.read_exact(&mut taken[written / 2..]).unwrap();
        // The last acknowledgement may be on its way.
        while unsent(&writer) > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn counts_what_the_peer_has_not_taken() {
        let (writer, reader) = UnixStream::pair().unwrap();
        writer.set_nonblocking(true).unwrap();
        fill_and_take(writer, reader);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let writer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        writer.set_nonblocking(true).unwrap();
        fill_and_take(writer, listener.accept().unwrap().0);
    }
}
