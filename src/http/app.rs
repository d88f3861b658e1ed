//! What can be served.

use std::future::Future;

use super::door::{Door, Failure};

/// Something that answers requests.
///
/// | what | how |
/// |---|---|
/// | a service of `tower`, such as an axum `Router` | by way of [`service`](super::service()) |
/// | a function from [`::http::Request`] to [`::http::Response`] | by way of [`from_fn`](super::from_fn) |
/// | a `tide::Server` (feature `tide`) | as it is |
/// | a `TideApp` (feature `tide`) | as it is; a function by way of `from_tide_fn` |
///
/// It cannot be implemented outside of this crate: implement [`tower_service::Service`] instead.
pub trait App: Send + Sync {
    /// How its requests and responses look.
    #[doc(hidden)]
    type Door: Door;

    /// Answers one request.
    #[doc(hidden)]
    fn respond(
        &self,
        request: <Self::Door as Door>::Request,
    ) -> impl Future<Output = Result<<Self::Door as Door>::Response, Failure>> + Send;
}
