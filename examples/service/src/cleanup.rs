//! The timer: once in a period it removes letters that ended long ago.

use std::time::Duration;

use neap::Scope;

use crate::config::Config;
use crate::every::Every;
use crate::letters::Letters;
use crate::settings::SettingsFile;

/// Removes old letters.
pub struct Cleanup {
    letters: Letters,
    settings: SettingsFile,
    period: Duration,
}

impl Cleanup {
    pub fn new(letters: &Letters, config: &Config) -> Cleanup {
        Cleanup {
            letters: letters.clone(),
            settings: config.settings.clone(),
            period: config.cleanup_period,
        }
    }

    /// Removes them until the stop. A removal that has begun is finished.
    pub async fn run(self, scope: Scope<'_>) {
        let mut every = Every::new(self.period);
        while let Some(missed) = scope.run_until_stopped(every.tick()).await {
            if missed > 0 {
                log::warn!("a cleanup took so long that {missed} were left out");
            }
            match self
                .letters
                .remove_older(self.settings.current().keep)
                .await
            {
                Ok(0) => {}
                Ok(removed) => log::info!("{removed} old letters removed"),
                // It is tried again at the next tick.
                Err(error) => log::error!("no cleanup: {error:#}"),
            }
        }
    }
}
