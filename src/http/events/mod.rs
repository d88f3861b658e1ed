//! Server-sent events (HTML Living Standard, 9.2), for both doors.

mod event_stream;
mod server_event;

pub use self::event_stream::{EventStream, events};
pub use self::server_event::ServerEvent;
