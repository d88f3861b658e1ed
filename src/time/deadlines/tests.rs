//! The order of deadlines, and how many are kept.

use std::time::{Duration, Instant};

use super::{Deadlines, FEW};

#[test]
fn they_come_in_order_and_not_before_their_time() {
    let (start, mut deadlines) = (Instant::now(), Deadlines::new());
    let at = |seconds| start + Duration::from_secs(seconds);
    for seconds in [3, 1, 2, 1] {
        deadlines.push(at(seconds), seconds, |_| true);
    }
    assert_eq!(deadlines.next(), Some(at(1)));
    assert_eq!(deadlines.pop(start), None);
    let mut popped = Vec::new();
    while let Some(due) = deadlines.pop(at(2)) {
        popped.push(due);
    }
    assert_eq!(popped, [1, 1, 2]);
    assert_eq!(deadlines.pop(at(3)), Some(3));
    assert_eq!(deadlines.next(), None);
}

#[test]
fn g21_what_is_done_is_taken_out_and_what_is_not_stays() {
    let (start, mut deadlines) = (Instant::now(), Deadlines::new());
    let is_open = |index: &usize| index % 1000 == 0;
    for index in 0..100_000 {
        deadlines.push(start, index, is_open);
        let open = index / 1000 + 1;
        assert!(deadlines.heap.len() <= FEW.max(2 * (open + 1)));
    }
    let mut left = Vec::new();
    while let Some(index) = deadlines.pop(start) {
        left.extend(is_open(&index).then_some(index));
    }
    assert_eq!(left, Vec::from_iter((0..100).map(|index| index * 1000)));
}

#[test]
fn g21_a_look_at_all_comes_only_once_they_have_doubled() {
    let (start, mut deadlines) = (Instant::now(), Deadlines::new());
    let looks = std::cell::Cell::new(0);
    for index in 0..10_000 {
        deadlines.push(start, index, |_| {
            looks.set(looks.get() + 1);
            true
        });
    }
    assert!(looks.get() <= 2 * 10_000, "{} looks", looks.get());
}
