//! Refusing new handshakes of a listener, while those that have begun go on.

use std::net::TcpListener;

/// Refuses handshakes that begin from now on, and returns true if that is so.
///
/// On Linux, a socket that is bound to an interface receives from it alone (`SO_BINDTOIFINDEX`,
/// socket(7)). Bound to an interface that does not exist, a listener is found by no SYN: the kernel
/// answers with a reset, and the client's connect is refused at once. A handshake that has begun has
/// an entry of its own, which its last ACK finds, and an accepted socket is not bound. It costs some
/// 3 us, and needs no capability since Linux 5.7.
///
/// Where that fails, a filter drops each SYN. Its client tries again after 1 s.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn refuse(listener: &TcpListener) -> bool {
    use std::num::NonZeroU32;

    use socket2::SockRef;
    // The kernel counts interfaces from 1.
    const NO_INTERFACE: Option<NonZeroU32> = NonZeroU32::new(i32::MAX as u32);
    // One option of the kernel is behind both names of it, and does for IPv4 and IPv6.
    let Err(error) = SockRef::from(listener).bind_device_by_index_v4(NO_INTERFACE) else {
        return true;
    };
    let Err(second) = drop_syns(listener) else {
        return true;
    };
    log::debug!(target: "neap", event = "cannot refuse"; "new connections cannot be refused before the close: {error}; {second}");
    false
}

/// Lets ACKs find the listener again, if it can drop SYNs instead, and returns true if that is so.
///
/// Both need capabilities on new kernels: `CAP_NET_ADMIN` and `CAP_NET_RAW`.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) fn let_acks_in(listener: &TcpListener) -> bool {
    use socket2::SockRef;
    let swapped =
        drop_syns(listener).and_then(|()| SockRef::from(listener).bind_device_by_index_v4(None));
    if let Err(error) = &swapped {
        log::debug!(target: "neap", event = "handshakes lost"; "handshakes with SYN cookies are refused: {error}");
    }
    swapped.is_ok()
}

/// Attaches a filter that drops segments with SYN and without ACK, and no others (classic BPF).
#[cfg(any(target_os = "linux", target_os = "android"))]
fn drop_syns(listener: &TcpListener) -> std::io::Result<()> {
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
    SockRef::from(listener).attach_filter(&program)
}

/// Other systems have no way to do it.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn refuse(_: &TcpListener) -> bool {
    false
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) fn let_acks_in(_: &TcpListener) -> bool {
    true
}
