//! The TLS session of one connection, above a socket that it is handed.

use std::cell::RefCell;
use std::io::{self, BufRead, IoSlice, Read, Write};

use rustls::{Connection, Error as TlsError, InvalidMessage};

use super::records::Records;
use super::tls_info::TlsInfo;
use super::writable::Writable;
use crate::net::raw_socket::RawSocket;

/// Reads of at least this many bytes go past what the library reads at once.
const FEW: usize = 4096;
/// The most bytes that are taken from a socket at once: those of a record.
const LARGE: usize = 16 * 1024;

/// How many bytes are encrypted ahead of the socket. A part of a body that has 64 KiB, with what frames it as a chunk,
/// leaves in one write.
const AHEAD: usize = 65 * 1024;

/// How often a socket is read before the others have their turn, if nothing comes of it: a record may have
/// nothing in it.
pub(super) const ROUNDS: usize = 8;

/// The TLS session of one connection.
///
/// It never waits. What it has written and the socket has not taken stays here, 65 KiB at most: as long as
/// there is such a rest, it takes no more to write.
pub(in crate::net) struct TlsSession {
    /// The session; or why the library has made none.
    session: Result<Connection, TlsError>,
    /// Whether the peer has sent anything.
    has_heard: bool,
    /// The records of the peer.
    records: Records,
    /// Whether the peer has broken the protocol. What was read of it before can still be read.
    has_failed: bool,
    /// Whether this side has said that it sends no more.
    has_ended: bool,
    /// Whether the socket has not taken all that it was to.
    is_stalled: bool,
    /// Whether the socket has taken bytes since this was last asked.
    has_moved: bool,
    /// Whether what comes is not looked at any more.
    pub(super) discards: bool,
    /// Whether the close is to be a reset.
    pub(super) resets: bool,
    /// Who waits until the socket takes bytes.
    pub(super) writable: Writable,
}

impl TlsSession {
    pub(super) fn new(mut session: Result<Connection, TlsError>) -> TlsSession {
        if let Ok(session) = &mut session {
            session.set_buffer_limit(Some(AHEAD));
        }
        TlsSession {
            session,
            has_heard: false,
            records: Records::default(),
            has_failed: false,
            has_ended: false,
            is_stalled: false,
            has_moved: false,
            discards: false,
            resets: false,
            writable: Writable::default(),
        }
    }

    fn session(&mut self) -> io::Result<&mut Connection> {
        self.session
            .as_mut()
            .map_err(|error| in_words(error.clone()))
    }

    /// Returns true if the peer has sent anything.
    pub(super) fn has_heard(&self) -> bool {
        self.has_heard
    }

    /// Returns true if the first bytes of a record have come that may have something to read, and not all of them.
    pub(super) fn is_amid_record(&self) -> bool {
        self.records.is_amid_data()
    }

    /// Returns true if the handshake is over. So it is if there is none: a read has the error.
    pub(super) fn has_shaken_hands(&self) -> bool {
        let session = self.session.as_ref();
        session.is_ok_and(|session| !session.is_handshaking())
    }

    /// Returns what both sides have agreed on.
    pub(super) fn info(&mut self) -> io::Result<TlsInfo> {
        self.session().map(|session| TlsInfo::of(session))
    }

    /// Returns true if the socket has not taken all that it was to.
    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled
    }

    /// Returns true if the socket has taken bytes since this was last asked.
    pub(super) fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.has_moved)
    }

    /// Returns true if a read would not wait, whatever comes.
    pub(super) fn is_readable(&mut self) -> bool {
        let Ok(session) = self.session() else {
            return true;
        };
        let would_wait = match session.reader().fill_buf() {
            Ok(_) => false,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        !would_wait || self.has_failed
    }

    /// Reads what has come, 0 at the end of what the peer sends.
    ///
    /// # Errors
    ///
    /// - `WouldBlock`: nothing has come; or much has, with nothing in it, and the others are to have their turn.
    /// - `UnexpectedEof`: the peer has closed the socket and has not said that it would. What has come
    ///   may have been cut by somebody else.
    /// - `InvalidData`: the peer has broken the protocol.
    /// - Those of the socket.
    pub(super) fn read(&mut self, socket: &RawSocket, out: &mut [u8]) -> io::Result<usize> {
        for _ in 0..ROUNDS {
            match self.session()?.reader().read(out) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            let received = match out.len() {
                FEW.. => self.receive_into(socket, out),
                _ => self.receive(socket).map(|_| 0),
            };
            match received {
                Ok(0) => {}
                Ok(bytes) => return Ok(bytes),
                Err(error) => {
                    // An alert may be due. What the socket does not take is waited for by who waits for
                    // bytes to read.
                    let _ = self.send(socket);
                    return Err(error);
                }
            }
        }
        match self.is_readable() {
            true => self.session()?.reader().read(out),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Moves decrypted bytes into `out`. Returns how many, perhaps none.
    fn take(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Ok(self.session()?.reader().read(out).unwrap_or(0))
    }

    /// Does what TLS has to do with what has come.
    fn process(&mut self) -> io::Result<()> {
        let processed = self.session()?.process_new_packets();
        self.has_failed |= processed.is_err();
        processed.map(drop).map_err(in_words)
    }

    /// Takes what has come from the socket, and does what TLS itself has to do with it. Returns how many
    /// bytes have come, 0 at their end.
    ///
    /// # Errors
    ///
    /// Those of [`read`](TlsSession::read), but for the end.
    pub(super) fn receive(&mut self, socket: &RawSocket) -> io::Result<usize> {
        let mut received = 0;
        self.feed(socket, FEW, &mut received, &mut [])?;
        Ok(received)
    }

    /// Takes what has come from the socket, as many bytes at once as `out` has, and decrypts it into `out`.
    /// Returns how many bytes that has made; none if a record is not whole yet, or at the end.
    fn receive_into(&mut self, socket: &RawSocket, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(LARGE);
        self.feed(socket, most, &mut 0, out)
    }

    /// Takes this many bytes from the socket at most, and gives them to the library. Decrypts what it can into
    /// `out`, and returns how many bytes that has made.
    ///
    /// The library would take 4 KiB at once, a quarter of a record, and have memory for them before there are any.
    fn feed(
        &mut self,
        socket: &RawSocket,
        most: usize,
        received: &mut usize,
        out: &mut [u8],
    ) -> io::Result<usize> {
        if self.has_failed {
            // The library says again why.
            return self.process().map(|()| 0);
        }
        let mut scratch = Scratch::take();
        *received = socket.try_read(&mut scratch.0[..most])?;
        self.has_heard |= *received > 0;
        self.records.advance(&scratch.0[..*received]);
        let (mut rest, mut filled) = (&scratch.0[..*received], 0);
        loop {
            // It is told of the end by a read of nothing. Behind a good-bye it takes nothing.
            let taken = self.session()?.read_tls(&mut rest)?;
            let processed = self.process();
            // It has room for the rest: no more was read than `out` has, or than it reads itself.
            filled += self.take(&mut out[filled..])?;
            match processed {
                // The next read has the error.
                Err(_) if filled > 0 => return Ok(filled),
                Err(error) => return Err(error),
                Ok(()) if taken == 0 || rest.is_empty() => return Ok(filled),
                Ok(()) => {}
            }
        }
    }

    /// Encrypts bytes from the front of these parts, and writes what the socket takes of that. Returns how
    /// many bytes were encrypted: they are on their way, though some may still be here.
    ///
    /// A few parts are one record, and one write.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the socket has not taken what was written before, `BrokenPipe` after the end of this
    /// side, or the error of the socket.
    pub(super) fn write(&mut self, socket: &RawSocket, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.has_ended {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if self.is_stalled {
            self.send(socket)?;
        }
        let mut writer = self.session()?.writer();
        let bytes = match parts {
            // Of what is larger, records of the largest size.
            [part] if part.len() > AHEAD => writer.write(&part[..4 * LARGE])?,
            [part] => writer.write(part)?,
            parts => writer.write_vectored(parts)?,
        };
        match self.send(socket) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(bytes),
        }
    }

    /// Writes to the socket what is here for it.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it does not take all, or its own error.
    pub(super) fn send(&mut self, socket: &RawSocket) -> io::Result<()> {
        self.is_stalled = false;
        while self.session()?.wants_write() {
            match self.session()?.write_tls(&mut OnSocket(socket)) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(_) => self.has_moved = true,
                Err(error) => {
                    self.is_stalled = error.kind() == io::ErrorKind::WouldBlock;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Has the peer told, behind all that was written, that this side sends no more (`close_notify`, RFC 8446,
    /// 6.1). After an alert that says more than that, nothing is told.
    pub(super) fn end(&mut self) {
        if let (false, Ok(session)) = (self.has_ended, &mut self.session) {
            session.send_close_notify();
        }
        self.has_ended = true;
    }
}

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Memory for what has come from a socket, before it is decrypted: [`LARGE`] bytes, which the thread keeps.
struct Scratch(Vec<u8>);

impl Scratch {
    fn take() -> Scratch {
        // While the thread ends, nothing is kept any more.
        let mut bytes = SCRATCH.try_with(RefCell::take).unwrap_or_default();
        bytes.resize(LARGE, 0);
        Scratch(bytes)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.0);
        let _ = SCRATCH.try_with(|kept| kept.replace(bytes));
    }
}

/// A socket as the library writes to it.
struct OnSocket<'s>(&'s RawSocket);

impl Write for OnSocket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns an error of the session, in words for the most usual one.
fn in_words(error: TlsError) -> io::Error {
    match error {
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            io::Error::new(io::ErrorKind::InvalidData, "what has come is not TLS")
        }
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}
