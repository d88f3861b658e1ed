//! What a registry finds, before and after services were forgotten.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{FEW, Registered, Registry};

struct Entry {
    index: usize,
    is_forgotten: AtomicBool,
}

impl Registered for Entry {
    fn index(&self) -> usize {
        self.index
    }

    fn is_forgotten(&self) -> bool {
        self.is_forgotten.load(Ordering::Relaxed)
    }
}

fn add(registry: &Registry<Entry>) -> Arc<Entry> {
    let entry = |index| Entry {
        index,
        is_forgotten: AtomicBool::new(false),
    };
    let Ok::<_, Infallible>(added) = registry.add(|index| Ok(Arc::new(entry(index))));
    added
}

fn forget(registry: &Registry<Entry>, index: usize) {
    let entry = registry.get(index).unwrap();
    entry.is_forgotten.store(true, Ordering::Relaxed);
    drop(entry);
    registry.forget();
}

fn indices(entries: &[Arc<Entry>]) -> Vec<usize> {
    entries.iter().map(|entry| entry.index).collect()
}

fn filled(count: usize) -> Registry<Entry> {
    let registry = Registry::new();
    for index in 0..count {
        assert_eq!(add(&registry).index, index);
    }
    registry
}

#[test]
fn one_that_is_refused_takes_no_index() {
    let registry = filled(2);
    let refused = registry.add(Err::<Arc<Entry>, _>);
    assert_eq!(refused.err(), Some(2));
    assert_eq!(add(&registry).index, 2);
}

#[test]
fn all_are_in_the_order_of_addition_with_looks_in_between() {
    let registry = filled(3);
    assert_eq!(indices(&registry.snapshot()), [0, 1, 2]);
    add(&registry);
    assert_eq!(indices(&registry.snapshot()), [0, 1, 2, 3]);
    assert_eq!(indices(&registry.take()), [0, 1, 2, 3]);
    assert!(registry.snapshot().is_empty());
    assert_eq!(add(&registry).index, 4, "an index is not given twice");
}

#[test]
fn each_is_found_but_those_that_were_forgotten() {
    let count = 4 * FEW;
    let registry = filled(count / 2);
    drop(registry.snapshot());
    (0..count / 2).for_each(|_| drop(add(&registry)));
    // Forgets three of four, also the first and the last.
    let is_kept = |index: usize| index % 4 == 1;
    for index in (0..count).filter(|&index| !is_kept(index)) {
        forget(&registry, index);
        assert!(registry.get(index).is_none());
    }
    for index in 0..count + 2 {
        let found = registry.get(index).map(|entry| entry.index);
        let expected = (index < count && is_kept(index)).then_some(index);
        assert_eq!(found, expected);
    }
    assert_eq!(registry.forgotten(), count as u64 * 3 / 4);
    let kept: Vec<_> = (0..count).filter(|&index| is_kept(index)).collect();
    assert_eq!(indices(&registry.take()), kept);
}

#[test]
fn g21_no_more_than_half_are_forgotten_ones_or_a_few() {
    let registry = Registry::new();
    let kept: Vec<_> = (0..10).map(|_| add(&registry)).collect();
    for _ in 0..10_000 {
        let index = add(&registry).index;
        forget(&registry, index);
        assert!(registry.snapshot().len() <= kept.len() + FEW + 1);
    }
    assert!(kept.iter().all(|entry| registry.get(entry.index).is_some()));
}

#[test]
fn a_snapshot_stays_as_it_was() {
    let registry = filled(2 * FEW);
    let before = registry.snapshot();
    for index in 0..2 * FEW {
        forget(&registry, index);
        add(&registry);
    }
    assert_eq!(indices(&before), Vec::from_iter(0..2 * FEW));
    // A look in between keeps nothing of what was forgotten for good.
    drop(before);
    let all = registry.snapshot();
    let stale = all.iter().filter(|entry| entry.is_forgotten()).count();
    assert!(stale <= FEW.max(all.len() / 2), "{stale} of {}", all.len());
    assert_eq!(all.len() - stale, 2 * FEW);
}

#[test]
fn the_first_that_is_not_done_is_found_in_both_lists() {
    let registry = filled(3);
    drop(registry.snapshot());
    (0..3).for_each(|_| drop(add(&registry)));
    let first_not = |from, done: fn(usize) -> bool| registry.first_not(from, |e| done(e.index));
    assert_eq!(first_not(0, |_| false), Some(0));
    assert_eq!(first_not(0, |index| index < 2), Some(2));
    assert_eq!(first_not(0, |index| index < 4), Some(4));
    assert_eq!(first_not(3, |_| false), Some(3));
    assert_eq!(first_not(5, |index| index != 1), None);
    assert_eq!(first_not(9, |_| false), None);
}
