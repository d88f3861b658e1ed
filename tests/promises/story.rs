//! What every story needs: a limit, a flag, a child process.

use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use neap::{Outcome, Run};

/// No machine is so slow that a story which should end takes longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A timeout that no story should ever reach.
pub(crate) const NEVER: Duration = Duration::from_secs(3600);

/// The variable that names the story of a child process.
const STORY: &str = "NEAP_TEST_STORY";

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Runs a story on a thread of its own; `None` if it does not end.
pub(crate) fn within<T: Send + 'static>(
    limit: Duration,
    story: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let _ = sender.send(story());
    });
    receiver.recv_timeout(limit).ok()
}

/// Polls a group once, and says whether it has ended.
pub(crate) fn poll(run: &mut Run<'_>) -> Option<Result<Outcome, neap::Error>> {
    let polled = std::pin::Pin::new(run).poll(&mut Context::from_waker(Waker::noop()));
    match polled {
        std::task::Poll::Ready(result) => Some(result),
        std::task::Poll::Pending => None,
    }
}

/// Something that is so from some moment on.
#[derive(Clone, Default)]
pub(crate) struct Flag(Arc<AtomicBool>);

impl Flag {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Sets a flag when it is dropped.
pub(crate) struct OnDrop(pub(crate) Flag);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// The command of a child process that tells a story: the test of this module named `child`.
pub(crate) fn command(module: &str, story: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--exact",
            &format!("{module}::child"),
            "--ignored",
            "--nocapture",
        ])
        .env(STORY, story);
    command
}

/// The story that this process is to tell, if it is a child.
pub(crate) fn told() -> Option<String> {
    std::env::var(STORY).ok()
}

/// Waits for the end of a child process; `None`, and its end, if that takes too long.
pub(crate) fn end_within(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let begin = Instant::now();
    while begin.elapsed() < limit {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(ms(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}
