//! Whose turn it is.

use super::Limit;

fn limited(limit: usize) -> Limit {
    let mut limited = Limit::default();
    limited.set(limit);
    limited
}

fn granted(limit: &mut Limit) -> Vec<usize> {
    let mut granted = Vec::new();
    limit.grant(&mut granted);
    granted
}

#[test]
fn g17_none_has_a_turn_before_the_start() {
    let mut limit = limited(2);
    (0..3).for_each(|index| limit.enqueue(index));
    assert!(granted(&mut limit).is_empty());
    limit.open();
    assert_eq!(granted(&mut limit), [0, 1]);
}

#[test]
fn g17_turns_are_given_in_the_order_of_addition() {
    let mut limit = limited(2);
    limit.open();
    for index in [4, 2, 3, 1, 0] {
        limit.enqueue(index);
    }
    assert_eq!(granted(&mut limit), [0, 1]);
    assert!(limit.has_turn(0) && !limit.has_turn(2));
    limit.leave(1);
    assert_eq!(granted(&mut limit), [2]);
    // One that waits gives up its place, and one that has no part in it changes nothing.
    limit.leave(3);
    limit.leave(9);
    assert!(granted(&mut limit).is_empty());
    limit.leave(0);
    assert_eq!(granted(&mut limit), [4]);
    assert!(granted(&mut limit).is_empty());
}

#[test]
fn g17_a_turn_is_taken_only_if_none_waits_for_it() {
    let mut limit = limited(2);
    limit.open();
    assert!(limit.take(0, 9));
    limit.enqueue(1);
    assert!(!limit.take(2, 0), "the second is for one that waits");
    assert_eq!(granted(&mut limit), [1]);
    limit.leave(0);
    assert!(limit.take(2, 9));
    assert!(!limit.take(3, 0));
}

#[test]
fn g17_before_the_start_those_that_were_added_first_have_the_turns() {
    let mut limit = limited(2);
    assert!(limit.take(1, 1));
    assert!(!limit.take(2, 2));
    assert!(!limit.has_turn(1), "it waits in line like the others");
}

#[test]
fn without_a_limit_each_has_a_turn() {
    let mut limit = Limit::default();
    assert_eq!(limit.get(), None);
    assert!(limit.take(0, usize::MAX));
    limit.open();
    assert!(limit.is_open() && limit.take(1, usize::MAX));
    assert!(!limit.has_turn(1), "which is not counted");
}
