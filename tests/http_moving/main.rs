//! Those tests of `tests/http` that are about any app, with a tide app behind an axum `Router`.

#![cfg(feature = "tide")]

#[path = "../http_support/mod.rs"]
mod http_support;
#[path = "../runtimes/mod.rs"]
mod runtimes;

mod door {
    use axum::Router;
    use neap::http::{Service, service, tide_service};

    use crate::http_support::tide_app;

    /// Returns what serves a tide app.
    pub(crate) fn of_tide(app: tide::Server<()>) -> Service<Router> {
        service(Router::new().fallback_service(tide_service(app)))
    }

    pub(crate) fn app() -> Service<Router> {
        of_tide(tide_app::app())
    }

    pub(crate) fn reading() -> Service<Router> {
        of_tide(tide_app::reading())
    }

    /// The status of the answer to a method that is none of HTTP's, and whether that closes.
    pub(crate) const OTHER_METHOD: (u16, bool) = (501, false);
}

mod alike;
mod bodies;
mod by_hand;
#[path = "../http/codec.rs"]
mod codec;
#[path = "../http/counters.rs"]
mod counters;
#[path = "../http/drain.rs"]
mod drain;
#[path = "../http/fairness.rs"]
mod fairness;
mod layers;
#[path = "../http/limits.rs"]
mod limits;
#[path = "../http/load.rs"]
mod load;
#[path = "../http/quiet.rs"]
mod quiet;
#[path = "../http/readiness.rs"]
mod readiness;
#[path = "../http/spread.rs"]
mod spread;
mod warm;
