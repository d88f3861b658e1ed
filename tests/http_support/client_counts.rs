//! What became of the requests under load.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Client;

/// What became of the requests of all clients, around one stop.
#[derive(Debug, Default)]
pub struct ClientCounts {
    pub answered: AtomicUsize,
    pub refused: AtomicUsize,
    pub lost: AtomicUsize,
}

impl ClientCounts {
    /// Sends one whole request and counts what comes; returns true if the connection stays open.
    pub fn request(&self, client: &mut Client) -> bool {
        if client
            .try_send(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n")
            .is_err()
        {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        match client.try_answer() {
            Ok(Some(answer)) => {
                assert_eq!(answer.text(), "Hello World!");
                self.answered.fetch_add(1, Ordering::Relaxed);
                !answer.closes()
            }
            Ok(None) | Err(_) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                false
            }
        }
    }

    #[track_caller]
    pub fn check(&self) {
        assert_eq!(self.lost.load(Ordering::Relaxed), 0, "{self:?}");
        assert!(self.answered.load(Ordering::Relaxed) > 0, "{self:?}");
    }
}
