//! What a server and its connections share.

use std::sync::{Arc, Mutex, PoisonError};

use super::census::{Census, Report};
use super::options::Options;
use super::phase::Lifecycle;

/// Who is told how the drain went.
pub(super) type OnDrained = Box<dyn FnOnce(Report) + Send>;

/// What a server and its connections share. Dropped when the last of them is: that is when the
/// report is due, whether they ended or were cancelled.
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) options: Options,
    pub(super) lifecycle: Arc<Lifecycle>,
    pub(super) census: Census,
    pub(super) on_drained: Mutex<Option<OnDrained>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        let Some(report) = self.census.report() else {
            return;
        };
        if report.is_clean() {
            log::info!("`{}` {report}", self.name);
        } else {
            log::warn!("`{}` {report}", self.name);
        }
        let hook = self
            .on_drained
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(hook) = hook.take() {
            hook(report);
        }
    }
}
