//! Services that share what stays on one thread: `Rc` and `RefCell`, no locks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use futures_lite::future::{block_on, yield_now};
use neap::{Group, LocalScope};
use smol::LocalExecutor;

/// How often each word has come up.
type Counts = Rc<RefCell<HashMap<String, u32>>>;

async fn count(scope: LocalScope<'_>, text: &str, counts: Counts) {
    for word in text.split_whitespace() {
        let (word, counts) = (word.to_owned(), counts.clone());
        scope.spawn(async move {
            *counts.borrow_mut().entry(word).or_default() += 1;
        });
        yield_now().await;
    }
}

#[test]
fn services_share_a_table_without_a_lock() {
    let (text, counts) = (String::from("to be or not to be"), Counts::default());
    let mut group = Group::local();
    for name in ["first", "second"] {
        let counts = counts.clone();
        group.add(name, |scope| count(scope, &text, counts));
    }
    block_on(group.run()).unwrap();
    assert_eq!(counts.borrow()["be"], 4);
}

#[test]
fn services_are_tasks_of_a_local_executor() {
    let (executor, counts) = (LocalExecutor::new(), Counts::default());
    let mut group = Group::local();
    let counted = counts.clone();
    group.add("counter", |scope| {
        count(scope, "to be or not to be", counted)
    });
    let run = group.run_on(|task| executor.spawn(task));
    block_on(executor.run(run)).unwrap();
    assert_eq!(counts.borrow()["to"], 2);
}
