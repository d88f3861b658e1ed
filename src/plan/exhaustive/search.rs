//! A search through all that can happen, the shortest stories first.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::ops::AddAssign;

use super::guarantees;
use super::moves::{Move, Scope};
use super::rules::Wrong;
use super::world::World;

/// A group before it runs.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    /// The services that each service needs, as bits, and whether it is in the background.
    pub(super) services: Vec<(u8, bool)>,

    pub(super) limit: Option<usize>,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    pub(super) setups: u64,
    pub(super) states: u64,
    pub(super) transitions: u64,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Figures) {
        self.setups += other.setups;
        self.states += other.states;
        self.transitions += other.transitions;
    }
}

/// Looks at each state of a group once. Panics with the shortest story that breaks a guarantee.
///
/// States are told apart by a hash of 64 bits: of a million states, two are taken for one with a
/// probability of one in 36 million.
pub(super) fn search(setup: &Setup, scope: &Scope, wrong: Option<Wrong>) -> Figures {
    let mut world = World::new(setup.limit, wrong);
    for &(needs, is_background) in &setup.services {
        world.add(needs, is_background);
    }
    let mut seen = HashSet::from([fingerprint(&world)]);
    // How each state was come by: from which, and by which move.
    let mut story: Vec<(usize, Option<Move>)> = vec![(0, None)];
    let mut layer = vec![(0, world)];
    let mut figures = Figures {
        setups: 1,
        states: 1,
        transitions: 0,
    };
    while !layer.is_empty() {
        let mut next = Vec::new();
        for (at, world) in layer {
            let moves = world.moves(scope, setup.services.len());
            let is_at_rest = !moves.iter().any(|(_, goes_on)| *goes_on);
            let at_rest = is_at_rest.then(|| guarantees::at_rest(&world.group));
            tell(at_rest.flatten(), setup, &story, at);
            for (one, _) in moves {
                figures.transitions += 1;
                let mut after = world.clone();
                after.take(one, scope);
                let is_new = seen.insert(fingerprint(&after));
                if !is_new {
                    continue;
                }
                story.push((at, Some(one)));
                after.check(guarantees::always(&after.group));
                tell(after.broken.take(), setup, &story, story.len() - 1);
                next.push((story.len() - 1, after));
            }
        }
        layer = next;
    }
    figures.states = seen.len() as u64;
    figures
}

fn fingerprint(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

/// Panics with the story of a state, if a guarantee is broken in it.
fn tell(broken: Option<String>, setup: &Setup, story: &[(usize, Option<Move>)], mut at: usize) {
    let Some(broken) = broken else {
        return;
    };
    let mut moves = Vec::new();
    while let (from, Some(one)) = story[at] {
        moves.push(one);
        at = from;
    }
    moves.reverse();
    panic!("{broken}: {setup:?}, {moves:?}");
}
