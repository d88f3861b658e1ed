//! A filter that turns new connections away and lets those that have begun go on.

use std::net::TcpListener;

/// Keeps new connections out of the queue of a listener. On Linux only; elsewhere it does nothing.
///
/// A classic BPF program on the listener drops segments with SYN and without ACK, and no others,
/// so a handshake that has begun is finished. Best effort: `SO_ATTACH_FILTER` needs no privilege,
/// but a sandbox may refuse it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn attach(listener: &TcpListener) {
    use socket2::{SockFilter, SockRef};
    const LOAD_BYTE: u16 = 0x30; // BPF_LD | BPF_B | BPF_ABS
    const AND: u16 = 0x54; // BPF_ALU | BPF_AND | BPF_K
    const JUMP_IF_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    const RETURN: u16 = 0x06; // BPF_RET | BPF_K
    const FLAGS: u32 = 13; // of the TCP header, which is where the program starts (RFC 9293, 3.1)
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;
    let program = [
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(AND, 0, 0, SYN | ACK),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ];
    if let Err(error) = SockRef::from(listener).attach_filter(&program) {
        log::debug!(target: "neap", event = "cannot turn away"; "new connections cannot be turned away: {error}");
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn attach(_: &TcpListener) {}
