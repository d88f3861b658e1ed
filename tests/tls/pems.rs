//! Certificates for the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A chain of one certificate, for `localhost` and 127.0.0.1, and its key.
pub(crate) struct Pems {
    pub(crate) chain: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Pems {
    /// Returns the same certificate each time. Its signatures have one length.
    pub(crate) fn usual() -> &'static Pems {
        static USUAL: OnceLock<Pems> = OnceLock::new();
        USUAL.get_or_init(|| Pems::of("usual"))
    }

    /// Returns the certificate of this name in `tests/tls/pems`.
    pub(crate) fn of(name: &str) -> Pems {
        Pems {
            chain: Pems::file(&format!("{name}.pem")),
            key: Pems::file(&format!("{name}.key")),
        }
    }

    /// Returns a file of `tests/tls/pems`.
    pub(crate) fn file(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls/pems");
        fs::read(folder.join(name)).unwrap()
    }
}

/// A folder that is deleted when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("neap-tls-{}-{count}", process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Folder(folder)
    }

    /// Returns the path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file, and returns its path.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
