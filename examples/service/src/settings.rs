//! The settings, which may change while the program runs.

use std::fs;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use serde::{Deserialize, Deserializer, de};

/// What the file of settings has, in JSON. Each has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What stands below each letter.
    pub signature: String,
    /// How long the printer needs for a letter.
    #[serde(deserialize_with = "time")]
    pub print_time: Duration,
    /// How often a letter is tried before it is returned.
    pub attempts: NonZeroU32,
    /// How long to wait after the first failed attempt; twice as long after each further one.
    #[serde(deserialize_with = "time")]
    pub retry_after: Duration,
    /// How long a letter is kept after it was delivered or returned.
    #[serde(deserialize_with = "time")]
    pub keep: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            signature: "Yours sincerely".into(),
            print_time: Duration::from_millis(10),
            attempts: const { NonZeroU32::new(5).unwrap() },
            retry_after: Duration::from_secs(1),
            keep: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

/// Reads a time, such as `"1m 30s"`.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map_err(|error| de::Error::custom(format_args!("`{text}` is no time: {error}")))
}

/// The settings as they are now. Clones have the same.
#[derive(Clone)]
pub struct SettingsFile {
    path: Option<PathBuf>,
    current: Arc<Mutex<Arc<Settings>>>,
}

impl SettingsFile {
    /// Reads the file; without one, all settings have their defaults.
    pub fn open(path: Option<PathBuf>) -> anyhow::Result<SettingsFile> {
        let file = SettingsFile {
            path,
            current: Default::default(),
        };
        file.reload()?;
        Ok(file)
    }

    /// Reads the file again. If that fails, the settings stay as they are.
    pub fn reload(&self) -> anyhow::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        let text = fs::read_to_string(path);
        let settings = text.map_err(anyhow::Error::from);
        let settings = settings.and_then(|text| Ok(serde_json::from_str(&text)?));
        let settings = settings.with_context(|| format!("`{}`", path.display()))?;
        *self.lock() = Arc::new(settings);
        Ok(())
    }

    /// Returns the settings. Keep them for one piece of work, not longer.
    pub fn current(&self) -> Arc<Settings> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Arc<Settings>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
