//! A program that uses tracing sees what neap logs: records of `log`, which its subscriber takes.

use std::io;
use std::sync::{Arc, Mutex};

use futures_lite::future::block_on;
use neap::{Group, Scope};
use tracing_subscriber::fmt::MakeWriter;

/// Keeps what is written, instead of standard error.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Kept {
    type Writer = Kept;

    fn make_writer(&'w self) -> Kept {
        self.clone()
    }
}

#[test]
fn records_reach_a_subscriber_of_tracing() {
    let kept = Kept::default();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(kept.clone())
        .init();

    let mut group = Group::new();
    group.add("server", async |scope: Scope<'_>| {
        scope.stopped().await;
    });
    group.add("job", async |scope: Scope<'_>| {
        scope.stop();
    });
    block_on(group.run()).unwrap();

    let written = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(written.contains("INFO neap: `server` started"), "{written}");
    assert!(written.contains("stopping: request"), "{written}");
}
