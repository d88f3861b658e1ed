//! The door of tide: `http_types` requests and responses.
//!
//! - `app`: what can be served by it. `door`: how the connection is given its types.
//! - `request`: makes a request of a head, with `targets` for its URL and `names` for its fields.
//! - `body_reader`: the body of a request. `answer`: what the connection asks of a response.

mod answer;
mod app;
mod body_reader;
mod door;
mod names;
mod request;
mod targets;

pub use self::app::{FromTideFn, TideApp, from_tide_fn};
#[cfg(any(test, fuzzing))]
pub(super) use self::door::TideDoor;
