//! The plan with the lifecycles of its services, exhaustively: every order of events in every small
//! group.
//!
//! A [`World`](world::World) is a group of up to four services with the real [`Plan`](super::Plan)
//! and the real lifecycles. A [`search`](search::search) takes all [`Move`](moves::Move)s from all
//! states, and asks in each whether the [`guarantees`] hold, which know nothing of the plan. Plans
//! that are [wrong](rules::Wrong) on purpose show that it would find a fault.

mod data;
mod guarantees;
mod moves;
mod rules;
mod search;
mod supervisor;
mod tests;
mod world;
