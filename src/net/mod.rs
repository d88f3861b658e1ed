//! Serving connections of any protocol, and draining them.
//!
//! [`serve`] is a service: it accepts connections and gives each to a handler.
//! When it is told to stop, it takes what the kernel has accepted in its name, closes its
//! listeners, and ends once the last handler has returned. The handlers hold a
//! [stop token](crate::StopToken), and end when it suits their protocol; what is still there at
//! the service's deadline is dropped by the group.
//!
//! From the top:
//!
//! - [`Address`]: where to listen. TCP, Unix sockets, several of them, or bound already.
//! - [`Listeners`]: what is bound. Accepts, and closes without losing a connection.
//! - [`Stream`]: one accepted connection. [`Addr`] is where either end of it is.
//! - [`serve`] and [`Server`]: the service.
//!
//! # Examples
//!
//! ```
//! use futures_lite::{AsyncBufReadExt, AsyncWriteExt, StreamExt, io::BufReader};
//! use neap::{Group, net};
//!
//! # futures_lite::future::block_on(async {
//! let mut group = Group::new();
//! let echo = net::serve("127.0.0.1:0", |stream: net::Stream, token| async move {
//!     let mut lines = BufReader::new(&stream).lines();
//!     while let Some(Some(line)) = token.run_until_stopped(lines.next()).await {
//!         (&stream).write_all(format!("{}\n", line?).as_bytes()).await?;
//!     }
//!     Ok(())
//! });
//! group.add("echo", echo);
//! # group.handle().stop();
//! group.run().await?;
//! # Ok::<_, neap::Error>(())
//! # }).unwrap();
//! ```

mod address;
mod binding;
mod connections;
mod listeners;
mod server;
mod stream;

pub(crate) use address::BACKLOG;
pub use address::{Addr, Address};
pub(crate) use binding::Binding;
pub(crate) use connections::{Connections, Counted};
pub use listeners::Listeners;
pub use server::{Server, Serving, serve};
#[cfg(feature = "tide")]
pub(crate) use server::{accept_until, panic_message};
pub use stream::Stream;
