//! The consumer of the queue: it delivers one letter after the other.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use async_channel::Receiver;
use futures_lite::FutureExt;
use neap::Scope;
use smol::Timer;

use crate::config::Config;
use crate::letters::{Letter, Letters, Verdict};
use crate::outbox;
use crate::settings::{Settings, SettingsFile};

/// How long one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a letter that was claimed is left alone. Longer than an attempt, or two would deliver it at once.
const LEASE: Duration = Duration::from_secs(30);

/// How long to wait at the most before looking again: another process may have added a letter.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Delivers letters.
#[derive(Clone)]
pub struct Courier {
    letters: Letters,
    /// Rings when there is a new letter.
    bell: Receiver<()>,
    settings: SettingsFile,
    outbox: PathBuf,
}

impl Courier {
    pub fn new(letters: &Letters, bell: Receiver<()>, config: &Config) -> Courier {
        Courier {
            letters: letters.clone(),
            bell,
            settings: config.settings.clone(),
            outbox: config.outbox.clone(),
        }
    }

    /// Delivers until the stop. The letter in hand is finished, the others stay in the queue.
    ///
    /// # Errors
    ///
    /// The database has failed. What fails about a letter is that letter's.
    pub async fn run(self, scope: Scope<'_>) -> anyhow::Result<()> {
        while !scope.is_stopped() {
            match self.letters.claim(LEASE).await? {
                Some(letter) => self.handle(letter).await?,
                None => {
                    let next = self.letters.next_due().await?.unwrap_or(LOOK_AGAIN);
                    scope
                        .run_until_stopped(self.wait(next.min(LOOK_AGAIN)))
                        .await;
                }
            }
        }
        Ok(())
    }

    /// Waits for a new letter, or this long.
    async fn wait(&self, time: Duration) {
        let ring = async {
            // It cannot be closed: the letters have the other end.
            let _ = self.bell.recv().await;
        };
        let timer = async {
            Timer::after(time).await;
        };
        ring.or(timer).await;
    }

    /// Makes an attempt, and notes how it went.
    async fn handle(&self, letter: Letter) -> anyhow::Result<()> {
        let settings = self.settings.current();
        let (attempt, attempts) = (letter.attempts, settings.attempts.get());
        let result = match attempt > attempts {
            true => Err(anyhow!("the process ended in the middle of each attempt")),
            false => self.attempt(&letter, &settings).await,
        };
        let verdict = match result {
            Ok(()) => Verdict::Delivered,
            Err(error) => {
                let error = format!("{error:#}");
                log::warn!(
                    "letter {}, attempt {attempt} of {attempts}: {error}",
                    letter.id
                );
                match attempt >= attempts {
                    true => Verdict::Returned(error),
                    false => Verdict::Failed(error, backoff(settings.retry_after, attempt)),
                }
            }
        };
        self.letters.settle(letter.id, verdict).await
    }

    /// Tries to deliver a letter. A panic is a failure like any other.
    async fn attempt(&self, letter: &Letter, settings: &Settings) -> anyhow::Result<()> {
        let delivery = outbox::deliver(&self.outbox, letter, settings);
        let timeout = async {
            Timer::after(ATTEMPT_TIMEOUT).await;
            Err(anyhow!("it took longer than {ATTEMPT_TIMEOUT:?}"))
        };
        let attempt = AssertUnwindSafe(delivery.or(timeout)).catch_unwind();
        attempt.await.unwrap_or_else(|_| Err(anyhow!("a panic")))
    }
}

/// Returns how long to wait after an attempt has failed: each time twice as long.
fn backoff(first: Duration, attempt: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(attempt - 1))
}
