//! The door of `tower` services: requests and responses of `http` 1.x.
//!
//! - `app`: what can be served by it. `door`: how the connection is given its types.
//! - `request`: makes a request of a head, of its `head_copy`; `model`: of the one before. `body`: its body.
//! - `oneshot`: calls a service once it is ready.
//! - `answer`: what the connection asks of a response.

mod answer;
mod app;
mod body;
mod door;
mod head_copy;
mod model;
mod oneshot;
mod request;

pub use self::app::{FromFn, Service, from_fn, service};
pub use self::body::Body;
#[cfg(any(test, fuzzing))]
pub(super) use self::door::ServiceDoor;
