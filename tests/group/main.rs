//! `src/group/`, and by way of it `src/service/`, `src/members/` and `src/executor/`: what happens to
//! services from `add` to the outcome, on every runtime.

#[path = "../runtimes/mod.rs"]
mod runtimes;
#[path = "../support/mod.rs"]
mod support;

mod abandoned;
mod children;
mod drain;
mod dropped;
mod failure;
mod handle;
mod handles;
mod local;
mod nested;
mod one;
mod run;
mod scope;
mod stop;
mod watchdog;
