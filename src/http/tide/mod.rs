//! The door of tide: `http_types` requests and responses.
//!
//! - `app`: what can be served by it. `door`: how the connection is given its types.
//! - `service`: the same as a service of `tower`.
//! - `request`: makes a request of a head: by the `model` of the last one, or with `targets` for its URL and
//!   `fields` for its fields, and `names` for their names.
//! - `body_reader`, with `read_turns`: the body of a request. `answer`: what the connection asks of a response,
//!   which reads a long body by the `piece`.
//! - `frame_reader` and `tide_body`: these bodies of a service of `tower`.

mod answer;
mod app;
mod body_reader;
mod door;
mod event_reader;
mod fields;
mod frame_reader;
mod model;
mod names;
mod piece;
mod read_turns;
mod request;
mod service;
mod targets;
mod tide_body;

pub use self::app::{FromTideFn, TideApp, from_tide_fn};
#[cfg(any(test, fuzzing))]
pub(super) use self::door::TideDoor;
pub use self::service::{TideService, tide_service};
pub use self::tide_body::TideBody;
