//! The test kit, on every runtime: a clock by hand, a recorder, injected stops.

mod runtimes;

use std::future::pending;
use std::time::{Duration, Instant};

use futures_lite::future;
use neap::test::{Clock, Event, Recorder};
use neap::{Cause, Group, Restart, Scope, State, restart};
use runtimes::{limited, on_all};

const LONG: Duration = Duration::from_secs(10 * 3600);

/// Waits until a service has got so far.
async fn until(recorder: &Recorder, event: Event) {
    recorder.wait_for(|other| *other == event).await;
}

#[test]
fn a_drain_of_hours_takes_no_time_with_the_clock_of_the_kit() {
    on_all(|runtime| async move {
        let (since, clock, recorder) = (Instant::now(), Clock::new(), Recorder::new());
        let mut group = runtime.group().drain_timeout(LONG);
        group = group.clock(&clock).record(&recorder);
        let handle = group.handle();
        group.add("deaf", |_| pending::<()>());
        let test = async {
            handle.started().await.unwrap();
            handle.stop();
            until(&recorder, Event::Stopped("deaf".into())).await;
            clock.advance(LONG - Duration::from_secs(1)).await;
            assert_eq!(handle.status().services()[0].state(), State::Draining);
            clock.advance(Duration::from_secs(1)).await;
        };
        let (ended, ()) = future::zip(group.run(), test).await;
        let error = ended.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(error.outcome().unwrap().drained(), LONG);
        assert!(since.elapsed() < LONG);
        let expected = [
            Event::Started("deaf".into()),
            Event::Ready("deaf".into()),
            Event::Stopped("deaf".into()),
            Event::Cancelled("deaf".into()),
        ];
        assert_eq!(recorder.events(), expected);
    });
}

#[test]
fn a_second_injected_stop_cancels() {
    on_all(|runtime| async move {
        let (recorder, mut group) = (Recorder::new(), runtime.group().drain_timeout(LONG));
        let (stop, stops) = async_channel::unbounded();
        group = group.record(&recorder).stop_on(stops);
        group.add("deaf", |_| pending::<()>());
        let test = async {
            until(&recorder, Event::Ready("deaf".into())).await;
            stop.try_send(Cause::Requested).unwrap();
            until(&recorder, Event::Stopped("deaf".into())).await;
            stop.try_send(Cause::Requested).unwrap();
        };
        let (ended, ()) = future::zip(group.run(), test).await;
        assert!(ended.unwrap_err().is_timeout());
    });
}

#[test]
fn g08_a_start_timeout_goes_by_the_clock() {
    on_all(|runtime| async move {
        let (clock, recorder, mut group) = (Clock::new(), Recorder::new(), runtime.group());
        group = group.clock(&clock).record(&recorder);
        let slow = |scope: Scope<'static>| async move { drop(scope.stopped().await) };
        group.add("slow", slow).start_timeout(LONG);
        let test = async {
            until(&recorder, Event::Started("slow".into())).await;
            clock.advance(LONG).await;
        };
        let (ended, ()) = future::zip(group.run(), test).await;
        let message = format!("it was not ready {LONG:?} after its start");
        assert_eq!(ended.unwrap_err().failure().unwrap().to_string(), message);
        let failed = Event::Failed("slow".into(), message);
        assert!(recorder.events().contains(&failed));
    });
}

#[test]
fn the_back_off_of_a_restart_goes_by_the_clock() {
    on_all(|runtime| async move {
        let (clock, mut group, mut run) = (Clock::new(), runtime.group(), 0);
        group = group.clock(&clock);
        let flaky = move |_: Scope<'static>| {
            run += 1;
            async move { if run < 3 { Err("xxx") } else { Ok(()) } }
        };
        let policy = Restart::on_failure().backoff(LONG, LONG);
        group.add("flaky", restart(policy, flaky));
        let hours = async {
            loop {
                clock.advance(Duration::from_secs(3600)).await;
            }
        };
        let outcome = future::or(group.run(), hours).await.unwrap();
        assert!(outcome.stopped() >= LONG, "half of the back-off, twice");
    });
}

#[test]
fn a_recorder_is_text_a_line_for_each_event() {
    limited(|| {
        let (recorder, mut group) = (Recorder::new(), Group::new());
        group = group.record(&recorder);
        let db = group
            .add("db", |scope| async move { drop(scope.stopped().await) })
            .id();
        group.add("job", |_| async { Err("xxx") }).needs(db);
        future::block_on(group.run()).unwrap_err();
        assert_eq!(
            recorder.to_string(),
            "`db` started\n\
             `db` ready\n\
             `job` started\n\
             `job` failed: xxx\n\
             `job` ended\n\
             `db` stopped\n\
             `db` ended"
        );
    });
}
