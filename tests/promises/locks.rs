//! No lock is held while the user's code runs: that code may ask the group for anything.

use std::fmt::{self, Write};
use std::pin::Pin;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use futures_lite::future;
use neap::Group;
use neap::test::{Event, Recorder};

use crate::story::{LIMIT, within};

/// Text that is written nowhere; calls a function for each piece of it.
struct Calls<F>(F);

impl<F: FnMut()> Write for Calls<F> {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        (self.0)();
        Ok(())
    }
}

/// A waker that calls a function.
struct OnWake<F>(F);

impl<F: Fn() + Send + Sync> Wake for OnWake<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

#[test]
fn what_a_group_is_written_to_may_use_the_group() {
    let ended = within(LIMIT, || {
        let mut group = Group::new();
        let handle = group.handle();
        let job = group.add("job", |_| async {}).id();
        let mut text = Calls(|| {
            handle.stop_one(job);
        });
        write!(text, "{group}").unwrap();
        write!(text, "{group:?}").unwrap();
        write!(text, "{}", handle.status()).unwrap();
        write!(text, "{handle:?}").unwrap();
    });
    assert!(ended.is_some(), "the group waits for itself");
}

#[test]
fn what_a_recorder_is_written_to_may_use_the_recorder() {
    let ended = within(LIMIT, || {
        let (recorder, mut group) = (Recorder::new(), Group::new());
        group = group.record(&recorder);
        group.add("job", |_| async {});
        future::block_on(group.run()).unwrap();
        let mut text = Calls(|| drop(recorder.events()));
        write!(text, "{recorder}").unwrap();
        write!(text, "{recorder:?}").unwrap();
    });
    assert!(ended.is_some(), "the recorder waits for itself");
}

#[test]
fn one_that_waits_for_a_recorded_event_may_use_the_group_when_it_is_woken() {
    let ended = within(LIMIT, || {
        let (recorder, mut group) = (Recorder::new(), Group::new());
        group = group.record(&recorder);
        let job = group.add("job", |_| async {}).id();
        let (handle, other) = (group.handle(), group.handle());
        let is_stop = |event: &Event| matches!(event, Event::Stopped(_));
        let mut wait = Box::pin(recorder.wait_for(is_stop));
        let waker = Waker::from(Arc::new(OnWake(move || {
            other.stop_one(job);
        })));
        let polled = wait.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        handle.stop_one(job);
    });
    assert!(ended.is_some(), "`stop_one` waits for itself");
}

/// A task of a plain executor: to wake it is to send it to the executor. If that is gone, this
/// drops it.
struct Task {
    future: Mutex<Option<future::Boxed<()>>>,
    queue: SyncSender<Arc<Task>>,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let queue = self.queue.clone();
        let _ = queue.try_send(self);
    }
}

/// Polls a future once as a task of an executor that is gone then: only the wait owns the task.
fn leave_waiting(future: impl Future<Output = ()> + Send + 'static) {
    let (queue, tasks) = sync_channel(1);
    let future = Mutex::new(Some(Box::pin(future) as Pin<Box<_>>));
    let task = Arc::new(Task { future, queue });
    let waker = Waker::from(task.clone());
    let mut slot = task.future.lock().unwrap();
    let future = slot.as_mut().unwrap().as_mut();
    assert!(future.poll(&mut Context::from_waker(&waker)).is_pending());
    drop((tasks, slot));
}

#[test]
fn a_wait_for_the_stop_may_be_dropped_as_it_is_woken() {
    let ended = within(LIMIT, || {
        let mut group = Group::new();
        let handle = group.handle();
        group.add("job", |_| async {});
        let token = handle.token();
        leave_waiting(async move {
            token.stopped().await;
        });
        handle.stop();
    });
    assert!(ended.is_some(), "`stop` waits for itself");
}

#[test]
fn a_wait_for_the_start_may_be_dropped_as_it_is_woken() {
    let ended = within(LIMIT, || {
        let mut group = Group::new();
        let handle = group.handle();
        group.add("job", |_| async {});
        leave_waiting(async move {
            let _ = handle.started().await;
        });
        future::block_on(group.run()).is_ok()
    });
    assert_eq!(ended, Some(true), "`run` waits for itself");
}
