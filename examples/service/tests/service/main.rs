//! The program itself, as a process: what it answers, and what is left when it has stopped.

mod client;
mod process;

mod admin;
mod configuration;
mod queue;
mod reload;
mod stop;
