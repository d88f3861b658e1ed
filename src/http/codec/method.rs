//! The methods that mean something to the connection.

/// What a request's method means for its connection, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum MethodKind {
    Head,
    Connect,
    Other,
}
