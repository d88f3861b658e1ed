//! The apps that are measured. `compare/peers` includes these files too, so that an axum `Router` on
//! neap and on tokio, and a tide app on any runtime, are the same source.
//!
//! What waits is not here but for tide: each runtime has timers and files of its own.

pub(crate) mod axum;
pub(crate) mod files;
pub(crate) mod order;
pub(crate) mod tide;

/// What `GET /hello` is answered with.
pub(crate) const HELLO: &str = "Hello World!";

/// How long `GET /slow` takes.
pub(crate) const SLOW: std::time::Duration = std::time::Duration::from_millis(100);

/// What `GET /megabyte` sends, in bytes.
pub(crate) const MEGABYTE: usize = 1_000_000;

/// What `GET /download` sends, in bytes, as pieces of [`PIECE`].
pub(crate) const DOWNLOAD: usize = 100_000_000;

/// How many bytes a handler sends or reads at a time.
pub(crate) const PIECE: usize = 62_500;
