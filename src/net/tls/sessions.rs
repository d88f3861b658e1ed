//! The sessions that clients may resume.

use std::sync::Arc;

use rustls::server::{ServerSessionMemoryCache, StoresServerSessions};

use super::certificates::Certificates;
use crate::sync::{Mutex, lock};

/// How many sessions are remembered.
const REMEMBERED: usize = 256;

/// The sessions of one server that its clients may resume (RFC 8446, 2.2). They are forgotten when its
/// certificates are replaced: a session that is resumed shows none, and would go on with the old ones.
#[derive(Debug)]
pub(super) struct Sessions {
    certificates: Certificates,
    /// The sessions of these certificates, and which those are.
    kept: Mutex<(usize, Arc<ServerSessionMemoryCache>)>,
}

impl Sessions {
    pub(super) fn new(certificates: &Certificates) -> Sessions {
        let kept = ServerSessionMemoryCache::new(REMEMBERED);
        Sessions {
            certificates: certificates.clone(),
            kept: Mutex::new((certificates.generation(), kept)),
        }
    }

    /// Returns the sessions of the present certificates.
    fn present(&self) -> Arc<ServerSessionMemoryCache> {
        let present = self.certificates.generation();
        let mut kept = lock(&self.kept);
        if kept.0 != present {
            *kept = (present, ServerSessionMemoryCache::new(REMEMBERED));
        }
        Arc::clone(&kept.1)
    }
}

impl StoresServerSessions for Sessions {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.present().put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.present().get(key)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.present().take(key)
    }

    fn can_cache(&self) -> bool {
        true
    }
}
