//! Certificates for the tests, made by `openssl` when they run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
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
        USUAL.get_or_init(|| Pems::new("usual", "ed25519"))
    }

    /// Makes a certificate with this name for its owner, and a key of this kind.
    pub(crate) fn new(name: &str, algorithm: &str) -> Pems {
        let folder = Folder::new();
        let (chain, key) = (folder.file("chain.pem"), folder.file("key.pem"));
        let subject = format!("/CN={name}");
        let (kind, options) = algorithm.split_once(' ').unwrap_or((algorithm, ""));
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-nodes", "-days", "30", "-newkey", kind]);
        command.args(options.split_whitespace());
        command.args(["-subj", &subject]);
        command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        command.args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
        command.args([
            "-out".as_ref(),
            chain.as_os_str(),
            "-keyout".as_ref(),
            key.as_os_str(),
        ]);
        let output = command
            .output()
            .expect("these tests need the program `openssl`");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl: {errors}");
        Pems {
            chain: fs::read(chain).unwrap(),
            key: fs::read(key).unwrap(),
        }
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
