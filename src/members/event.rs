//! What happens to a group and its services.

use std::fmt;
use std::time::Duration;

use crate::service::id::ServiceId;
use crate::stop::cause::Cause;

/// Something that happened to a service, by its name, or to the group.
///
/// [`Group::on_event`](crate::Group::on_event) has a function called for each, and
/// [`test::Recorder`](crate::test::Recorder) records those of the services.
///
/// # Examples
///
/// ```
/// use neap::{Cause, Event};
///
/// let failed = Event::Failed("job".into(), "xxx".into());
/// assert_eq!(failed.to_string(), "`job` failed: xxx");
/// assert_eq!(failed.service(), Some("job"));
/// assert_eq!(Event::Stopping(Cause::Requested).service(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// It was polled for the first time.
    Started(String),

    /// It is ready: it said so, or its first poll has returned.
    Ready(String),

    /// It failed with this message: the text of its error, or `panicked: ` and that of its panic.
    Failed(String, String),

    /// A run of it ended in this way, such as `finished` or `failed: xxx`, and it will be [run again](crate::restart()).
    Restarting(String, String),

    /// The group stops, for this cause.
    Stopping(Cause),

    /// It was told to stop.
    Stopped(String),

    /// It has ended: it returned, and its children too.
    Ended(String),

    /// It has ended: it was dropped before it returned, or never started.
    Cancelled(String),

    /// It was given up: it was cancelled, and blocks its thread or had no turn. It has no other end.
    Abandoned(String),
}

impl Event {
    /// Returns the name of the service; `None` if the event is one of the group.
    pub fn service(&self) -> Option<&str> {
        match self {
            Event::Stopping(_) => None,
            Event::Started(name)
            | Event::Ready(name)
            | Event::Failed(name, _)
            | Event::Restarting(name, _)
            | Event::Stopped(name)
            | Event::Ended(name)
            | Event::Cancelled(name)
            | Event::Abandoned(name) => Some(name),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Started(name) => write!(f, "`{name}` started"),
            Event::Ready(name) => write!(f, "`{name}` ready"),
            Event::Failed(name, message) if message.starts_with("panicked: ") => {
                write!(f, "`{name}` {message}")
            }
            Event::Failed(name, message) => write!(f, "`{name}` failed: {message}"),
            Event::Restarting(name, message) => write!(f, "`{name}` {message}; restarting"),
            Event::Stopping(cause) => write!(f, "stopping: {cause}"),
            Event::Stopped(name) => write!(f, "`{name}` stopped"),
            Event::Ended(name) => write!(f, "`{name}` ended"),
            Event::Cancelled(name) => write!(f, "`{name}` cancelled"),
            Event::Abandoned(name) => write!(f, "`{name}` abandoned"),
        }
    }
}

/// An event, with the service it is about and the time at which it happened.
///
/// See [`Group::on_event`](crate::Group::on_event).
///
/// # Examples
///
/// ```
/// use std::sync::mpsc::channel;
/// use std::time::Duration;
/// use futures_lite::future;
/// use neap::{Event, Group, test::Clock};
///
/// let ((seen, all), clock) = (channel(), Clock::new());
/// let mut group = Group::new().clock(&clock).on_event(move |occurrence| {
///     let _ = seen.send(occurrence.clone());
/// });
/// let job = group.add("job", |_| clock.sleep(Duration::from_secs(3))).id();
/// let test = clock.advance(Duration::from_secs(3));
/// future::block_on(future::zip(group.run(), test)).0?;
///
/// let ended = Event::Ended("job".into());
/// let ended = all.iter().find(|one| *one.event() == ended).unwrap();
/// assert_eq!((ended.id(), ended.at()), (Some(job), Duration::from_secs(3)));
/// assert_eq!(ended.to_string(), "3.000s: `job` ended");
/// # Ok::<(), neap::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Occurrence {
    event: Event,
    id: Option<ServiceId>,
    at: Duration,
}

impl Occurrence {
    pub(super) fn new(event: Event, id: Option<ServiceId>, at: Duration) -> Occurrence {
        Occurrence { event, id, at }
    }

    /// Returns what happened.
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Returns the id of the service; `None` if the event is one of the group.
    pub fn id(&self) -> Option<ServiceId> {
        self.id
    }

    /// Returns how long after the start of the group it happened, by the clock of the group; zero
    /// if the group has not started.
    pub fn at(&self) -> Duration {
        self.at
    }
}

/// Writes the time and the event.
impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3?}: {}", self.at, self.event)
    }
}
