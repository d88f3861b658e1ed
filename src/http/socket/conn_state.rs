//! The states of a connection.

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(in crate::http) enum ConnState {
    /// Accepted; no byte has come yet.
    Fresh,
    /// A part of a request's head has come.
    Head,
    /// A handler is at work; no byte of its response has been sent.
    Active,
    /// A response is being written.
    Responding,
    /// Kept alive, between two requests.
    Idle,
    /// No longer HTTP.
    Upgraded,
    /// The server has closed its side and waits for the peer to close the other.
    Linger,
}

impl ConnState {
    /// All states, in the order of their numbers.
    pub(in crate::http) const ALL: [Self; 7] = [
        Self::Fresh,
        Self::Head,
        Self::Active,
        Self::Responding,
        Self::Idle,
        Self::Upgraded,
        Self::Linger,
    ];
}
