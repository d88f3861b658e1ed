//! Models of a service with its needs, over the real plan and the real lifecycles, for loom.
//!
//! A task is polled by the thread that awaits it, which sleeps for good, as loom reports, if a
//! wake-up is lost. What the supervisor does is done by [`tell`] and [`stop`].

use std::future::poll_fn;
use std::panic::Location;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::thread;

use super::child_output::ChildOutput;
use super::child_task::ChildTask;
use super::core::{Core, Member};
use super::ending::Ending;
use super::notices::{Notice, Notices};
use super::registry::Reason;
use super::service_task::ServiceTask;
use super::start::Start;
use super::steps::WhenFull;
use crate::executor::kind::Shared;
use crate::executor::spawners::Spawners;
use crate::executor::task::Task;
use crate::plan::Stopping;
use crate::service::id::ServiceId;
use crate::service::lifecycle::{Flag, Phase};
use crate::service::options::ServiceOptions;
use crate::stop::cause::Cause;

/// A group, as its services and handles see it.
struct Group {
    core: Arc<Core>,
    spawners: Spawners<'static, Shared>,

    /// The tasks that were spawned. A lock that the model does not see.
    tasks: Arc<std::sync::Mutex<Vec<Task<'static>>>>,
}

impl Group {
    fn new() -> Arc<Group> {
        let tasks = Arc::new(std::sync::Mutex::new(Vec::new()));
        let spawned = Arc::clone(&tasks);
        let spawners = Spawners::on(move |task| spawned.lock().unwrap().push(task));
        Arc::new(Group {
            core: Core::new(spawners.scheduler()),
            spawners,
            tasks,
        })
    }

    fn add(&self) -> Arc<Member> {
        self.core.add("service".into(), Location::caller())
    }

    fn id(&self, member: &Member) -> ServiceId {
        ServiceId::new(self.core.id, member.index())
    }

    /// Adds a service by a handle that needs these.
    fn admit(&self, needs: &[&Arc<Member>]) -> Result<Arc<Member>, Reason> {
        let options = needs.iter().fold(ServiceOptions::new(), |options, needed| {
            options.needs(self.id(needed))
        });
        let (core, here) = (&self.core, Location::caller());
        core.admit("late".into(), here, &options, WhenFull::Wait)
    }

    /// Starts the group, and the services given.
    fn open(&self, members: &[&Arc<Member>]) {
        self.core.open();
        for member in members {
            assert!(matches!(member.start(), Start::Now));
        }
    }

    /// Returns the task of a service that looks at something when it starts, and then ends.
    fn spawn(&self, member: &Arc<Member>, look: impl FnOnce() + Send + 'static) -> Task<'static> {
        let start = move || {
            look();
            std::future::ready(())
        };
        let job = Box::pin(ServiceTask::new(Arc::clone(member), start));
        self.spawners.own.spawn(Arc::clone(member), job);
        self.tasks.lock().unwrap().pop().unwrap()
    }

    /// Tells those that no other service needs, as the supervisor does.
    fn tell(&self, is_meant: impl Fn(&Member) -> bool) {
        let members = self.core.registry.snapshot();
        for member in members.iter().filter(|member| is_meant(member)) {
            if member.stop_unless_needed(1) {
                member.pass_stop_on();
                member.wake_task();
            }
        }
    }

    /// Stops the group and tells those in the foreground.
    fn stop(&self) {
        self.core.stop(Cause::Requested);
        self.core.plan().stop(Stopping::Foreground);
        self.tell(|member| !member.is_last());
    }

    /// Tells the background once no service keeps the group alive.
    fn settle(&self) {
        if self.core.counts.is_quiet() {
            self.core.plan().stop(Stopping::All);
            self.tell(|_| true);
        }
    }
}

/// The group and its services own each other.
impl Drop for Group {
    fn drop(&mut self) {
        drop(self.core.registry.take());
    }
}

fn is_told(member: &Member) -> bool {
    member.data.lifecycle().is_stopped()
}

fn is_ready(member: &Member) -> bool {
    member.data.lifecycle().has(Flag::Ready)
}

fn is_waiting(member: &Member) -> bool {
    member.data.lifecycle().phase() == Phase::Waiting
}

/// Runs something on another thread.
fn beside<T: 'static>(
    group: &Arc<Group>,
    members: &[&Arc<Member>],
    run: impl FnOnce(&Group, &[Arc<Member>]) -> T + 'static,
) -> thread::JoinHandle<T> {
    let group = Arc::clone(group);
    let members: Vec<_> = members.iter().map(|member| Arc::clone(member)).collect();
    thread::spawn(move || run(&group, &members))
}

/// One that needs two others is added while they become ready by `make_ready`.
fn starts_once_both_are_ready(make_ready: fn(&Member)) {
    let group = Group::new();
    let (one, two) = (group.add(), group.add());
    group.open(&[&one, &two]);
    let other = beside(&group, &[&one, &two], move |_, members| {
        members.iter().for_each(|member| make_ready(member));
    });
    let user = group.admit(&[&one, &two]).unwrap();
    let were_ready = Arc::new(std::sync::Mutex::new(None));
    let looked = Arc::clone(&were_ready);
    block_on(group.spawn(&user, move || {
        *looked.lock().unwrap() = Some((is_ready(&one), is_ready(&two)));
    }));
    assert_eq!(*were_ready.lock().unwrap(), Some((true, true)));
    other.join().unwrap();
}

#[test]
fn started_means_all_needs_are_ready() {
    loom::model(|| starts_once_both_are_ready(|member| assert!(member.set_ready())));
}

#[test]
fn one_that_finished_is_ready_for_those_that_need_it() {
    loom::model(|| starts_once_both_are_ready(|member| member.end(true)));
}

/// The last user of a background service ends together with the last of the foreground, which
/// has `settle` called.
fn last_user_ends(settle: fn(&Group)) {
    let group = Group::new();
    let (needed, user, last) = (group.add(), group.add(), group.add());
    group.core.move_to_background(&needed);
    group.core.move_to_background(&user);
    group.core.need(&user, group.id(&needed)).unwrap();
    needed.set_ready();
    group.open(&[&needed, &last]);
    assert!(matches!(user.start(), Start::Now));
    group.stop();
    let other = beside(&group, &[&user], |_, members| members[0].end(true));
    last.end(true);
    settle(&group);
    other.join().unwrap();
    assert!(is_told(&needed));
}

#[test]
fn no_dependents_left_stopping_and_quiet_means_told() {
    loom::model(|| last_user_ends(Group::settle));
}

#[test]
#[should_panic(expected = "is_told")]
fn a_supervisor_that_tells_before_the_plan_knows_forgets_one() {
    loom::model(|| {
        last_user_ends(|group| {
            group.tell(|_| true);
            group.core.plan().stop(Stopping::All);
        });
    });
}

#[test]
fn one_that_is_told_is_not_needed_any_more() {
    loom::model(|| {
        let group = Group::new();
        let needed = group.add();
        group.open(&[&needed]);
        needed.set_ready();
        let other = beside(&group, &[&needed], |group, members| {
            group.core.stop_one(group.id(&members[0]));
        });
        let added = group.admit(&[&needed]);
        other.join().unwrap();
        match added {
            // The user was told in its stead, and has not ended.
            Ok(user) => assert!(is_told(&user) && !is_told(&needed)),
            Err(reason) => assert!(reason == Reason::Stopping && is_told(&needed)),
        }
    });
}

#[test]
fn one_that_is_added_at_the_stop_is_refused_or_told() {
    loom::model(|| {
        let group = Group::new();
        let needed = group.add();
        group.open(&[&needed]);
        needed.set_ready();
        let other = beside(&group, &[], |group, _| group.stop());
        let added = group.admit(&[&needed]);
        other.join().unwrap();
        if let Ok(user) = added {
            assert!(is_told(&user) && !is_told(&needed));
            user.end(false);
        }
        assert!(is_told(&needed));
    });
}

#[test]
fn a_turn_goes_to_the_next() {
    loom::model(|| {
        let group = Group::new();
        group.core.plan().set_limit(1);
        let first = group.add();
        group.open(&[&first]);
        let other = beside(&group, &[&first], |_, members| members[0].end(true));
        let next = group.admit(&[]).unwrap();
        block_on(group.spawn(&next, || {}));
        other.join().unwrap();
    });
}

#[test]
fn a_turn_that_comes_after_the_stop_starts_nothing() {
    loom::model(|| {
        let group = Group::new();
        group.core.plan().set_limit(1);
        let first = group.add();
        group.open(&[&first]);
        let next = group.admit(&[]).unwrap();
        let other = beside(&group, &[&first], |group, members| {
            group.core.stop(Cause::Requested);
            members[0].end(true);
        });
        assert!(!matches!(next.start(), Start::Now));
        assert!(is_waiting(&next));
        other.join().unwrap();
    });
}

#[test]
fn one_that_waits_until_all_are_ready_is_woken() {
    loom::model(|| {
        let group = Group::new();
        let service = group.add();
        group.open(&[&service]);
        let other = beside(&group, &[&service], |_, members| {
            members[0].set_ready();
        });
        block_on(group.core.all_up());
        other.join().unwrap();
    });
}

#[test]
fn no_notice_is_lost() {
    loom::model(|| {
        let notices = Arc::new(Notices::new());
        for notice in [Notice::Stopped, Notice::Cancel] {
            let notices = Arc::clone(&notices);
            thread::spawn(move || notices.send(notice));
        }
        for _ in 0..2 {
            block_on(poll_fn(|cx| notices.poll_next(cx)));
        }
    });
}

#[test]
fn a_token_of_the_end_is_stopped_at_the_end() {
    loom::model(|| {
        let ending = Arc::new(Ending::new());
        let same = Arc::clone(&ending);
        let other = thread::spawn(move || same.end());
        let token = ending.token();
        other.join().unwrap();
        assert!(token.is_stopped());
    });
}

#[test]
fn whichever_is_the_last_of_a_group_and_its_services_empties_the_registry() {
    loom::model(|| {
        let group = Group::new();
        let service = group.add();
        group.open(&[&service]);
        let other = beside(&group, &[], |group, _| group.core.end());
        service.end(true);
        other.join().unwrap();
        assert!(group.core.registry.snapshot().is_empty());
    });
}

#[test]
fn one_that_awaits_the_end_of_a_service_is_woken() {
    loom::model(|| {
        let group = Group::new();
        let service = group.add();
        group.open(&[&service]);
        let other = beside(&group, &[&service], |_, members| members[0].end(true));
        block_on(group.core.gone(group.id(&service)));
        assert!(service.data.lifecycle().is_gone());
        other.join().unwrap();
    });
}

#[test]
fn one_that_awaits_a_child_is_woken_also_if_it_gave_up_before() {
    loom::model(|| {
        let output = Arc::new(ChildOutput::new());
        let same = Arc::clone(&output);
        let other = thread::spawn(move || same.set(Some(7)));
        let early = output.poll(&mut Context::from_waker(Waker::noop()));
        let value = match early {
            Poll::Ready(value) => value,
            Poll::Pending => block_on(poll_fn(|cx| output.poll(cx))),
        };
        assert_eq!(value, Some(7));
        assert!(output.has_ended());
        other.join().unwrap();
    });
}

#[test]
fn a_child_that_is_aborted_is_dropped() {
    loom::model(|| {
        let group = Group::new();
        let service = group.add();
        group.open(&[&service]);
        assert!(service.enter_child());
        let child = Member::child(&service);
        let output = Arc::new(ChildOutput::new());
        let deaf = std::future::pending::<()>();
        let job = ChildTask::new(Arc::clone(&child), deaf, Arc::clone(&output));
        group.spawners.own.spawn(Arc::clone(&child), Box::pin(job));
        let task = group.tasks.lock().unwrap().pop().unwrap();
        let other = thread::spawn(move || child.abort());
        block_on(task);
        assert!(output.has_ended());
        other.join().unwrap();
    });
}
