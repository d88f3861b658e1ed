//! The clock that is moved by hand: everything due has run when `advance(..).await` returns.

#[path = "../runtimes/mod.rs"]
mod runtimes;

mod advance;
mod random;
