//! The lifecycle as a table: every phase and every event, with all flags that matter.

use super::Phase::*;
use super::{Event, Flag, Lifecycle, Phase};

const PHASES: [Phase; 8] = [
    Waiting, Running, Stopping, Cancelled, Refused, Finished, Dropped, Abandoned,
];

const EVENTS: [Event; 9] = [
    Event::Start,
    Event::Stop { alone: false },
    Event::Stop { alone: true },
    Event::StopUnplanned,
    Event::Cancel,
    Event::CancelAlone,
    Event::End { finished: true },
    Event::End { finished: false },
    Event::Abandon,
];

/// What follows from each of [`EVENTS`], in their order, by the phase before.
#[rustfmt::skip]
const TABLE: [(Phase, [Option<Phase>; 9]); 8] = [
    (Waiting,   [Some(Running), Some(Refused), Some(Refused), Some(Refused), None, None, Some(Finished), Some(Dropped), None]),
    (Running,   [None, Some(Stopping), Some(Stopping), Some(Stopping), None, None, Some(Finished), Some(Dropped), None]),
    (Stopping,  [None, None, None, None, Some(Cancelled), Some(Cancelled), Some(Finished), Some(Dropped), None]),
    (Cancelled, [None, None, None, None, None, None, Some(Finished), Some(Dropped), Some(Abandoned)]),
    (Refused,   [None, None, None, None, None, None, Some(Finished), Some(Dropped), Some(Abandoned)]),
    (Finished,  [None, None, None, None, None, None, Some(Finished), Some(Dropped), None]),
    (Dropped,   [None, None, None, None, None, None, Some(Finished), Some(Dropped), None]),
    (Abandoned, [None; 9]),
];

/// Returns every lifecycle there can be: each phase with each set of flags.
fn all() -> impl Iterator<Item = Lifecycle> {
    (0..1 << 15).map(Lifecycle::from_bits)
}

fn has(flag: Flag) -> impl Fn(&Lifecycle) -> bool {
    move |now| now.has(flag)
}

#[test]
fn each_phase_goes_on_as_the_table_says() {
    for (phase, row) in TABLE {
        let now = Lifecycle::from_bits(phase as u16);
        for (event, expected) in EVENTS.into_iter().zip(row) {
            let after = now.after(event).map(Lifecycle::phase);
            assert_eq!(after, expected, "{phase:?} after {event:?}");
        }
    }
}

#[test]
fn flags_hold_back_what_they_are_to_and_nothing_else() {
    for now in all() {
        for event in EVENTS {
            let alone = Lifecycle::from_bits(now.phase() as u16);
            let is_held_back = match event {
                Event::Start => now.has(Flag::Held),
                Event::StopUnplanned => now.has(Flag::Planned),
                _ => false,
            };
            let expected = alone.after(event).filter(|_| !is_held_back);
            let after = now.after(event).map(Lifecycle::phase);
            assert_eq!(after, expected.map(Lifecycle::phase), "{now:?} {event:?}");
        }
    }
}

#[test]
fn a_phase_is_never_gone_back_to_but_from_one_end_to_the_other() {
    for now in all() {
        for event in EVENTS {
            let Some(after) = now.after(event) else {
                continue;
            };
            let is_end_again = now.has_ended() && after.has_ended();
            let goes_on = after.phase() as u16 > now.phase() as u16;
            assert!(goes_on || is_end_again, "{now:?} {event:?}");
        }
    }
}

#[test]
fn an_event_clears_no_flag_and_sets_those_it_is_to() {
    for now in all() {
        for event in EVENTS {
            let Some(after) = now.after(event) else {
                continue;
            };
            let set = match event {
                Event::Stop { alone: true } => Flag::StoppedAlone as u16,
                Event::Cancel | Event::Abandon => Flag::Straggler as u16,
                // One that is restarted says itself when it is ready.
                Event::End { finished: true } if now.has(Flag::Restarted) => 0,
                Event::End { finished: true } => Flag::Ready as u16,
                _ => 0,
            };
            let flags = |now: Lifecycle| now.bits() & !7;
            assert_eq!(flags(after), flags(now) | set, "{now:?} {event:?}");
        }
    }
}

#[test]
fn one_that_was_given_up_stays_so() {
    for now in all().filter(|now| now.phase() == Abandoned) {
        assert!(EVENTS.iter().all(|&event| now.after(event).is_none()));
    }
}

/// Asserts in which phases something is true, whatever the flags.
#[track_caller]
fn assert_true_in(phases: &[Phase], is_true: impl Fn(Lifecycle) -> bool) {
    for now in all() {
        assert_eq!(is_true(now), phases.contains(&now.phase()), "{now:?}");
    }
}

#[test]
fn each_phase_says_what_it_is() {
    assert_true_in(
        &[Cancelled, Refused, Dropped, Abandoned],
        Lifecycle::is_cancelled,
    );
    assert_true_in(&[Finished, Dropped], Lifecycle::has_ended);
    assert_true_in(&[Finished, Dropped, Abandoned], Lifecycle::is_gone);
    #[cfg(feature = "log")]
    assert_true_in(&[Running, Stopping, Cancelled], Lifecycle::is_running);
}

#[test]
fn one_that_has_ended_is_stopped_if_it_was_stopped_alone() {
    for now in all() {
        let expected = match now.phase() {
            Waiting | Running => false,
            Stopping | Cancelled | Refused | Abandoned => true,
            Finished | Dropped => now.has(Flag::StoppedAlone),
        };
        assert_eq!(now.is_stopped(), expected, "{now:?}");
    }
}

#[test]
fn one_is_up_once_it_is_ready_or_gone_and_starting_until_then() {
    for now in all() {
        let is_ready = now.has(Flag::Ready);
        assert_eq!(now.is_up(), is_ready || now.is_gone(), "{now:?}");
        let is_starting = now.phase() == Running && !is_ready;
        assert_eq!(now.is_starting(), is_starting, "{now:?}");
    }
}

#[test]
fn g21_only_one_that_was_added_and_has_not_failed_is_forgettable() {
    let forgettable: Vec<_> = all().filter(|now| now.is_forgettable(false)).collect();
    assert!(forgettable.iter().all(|now| now.has_ended()));
    assert!(forgettable.iter().all(has(Flag::Added)));
    assert!(!forgettable.iter().any(has(Flag::Straggler)));
    // Two phases, and each set of the other ten flags.
    assert_eq!(forgettable.len(), 2 << 10);
}

#[test]
fn the_bits_say_all() {
    assert_eq!(Lifecycle::new().phase(), Waiting);
    for now in all() {
        assert_eq!(Lifecycle::from_bits(now.bits()), now);
    }
    for phase in PHASES {
        assert_eq!(Lifecycle::from_bits(phase as u16).phase(), phase);
    }
}

#[test]
fn one_that_failed_before_it_was_ready_does_not_become_ready_by_its_end() {
    for now in all().filter(|now| !now.has(Flag::Ready)) {
        let Some(failed) = now.after(Event::Fail) else {
            assert!(matches!(now.phase(), Waiting | Refused) || now.is_gone());
            continue;
        };
        assert_eq!(failed.phase(), now.phase());
        let ended = failed.after(Event::End { finished: true }).unwrap();
        assert!(!ended.has(Flag::Ready) && !ended.is_forgettable(false));
    }
}
