//! The file of a Unix socket.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The file of a socket that was bound here. Its drop removes the file, if it still is the same one.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// The device and the inode number, which tell files apart that have the same path one after the
    /// other (inode(7)).
    identity: (u64, u64),
}

impl SocketFile {
    /// Notes which file is at `path`, where a socket has just been bound.
    ///
    /// # Errors
    ///
    /// The file is gone already.
    pub(super) fn of(path: PathBuf) -> io::Result<Self> {
        let identity = identity(&path)?;
        Ok(Self { path, identity })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A successor may have replaced the file, and clients find that one by it.
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            // An error is of no use: the file is gone.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// Returns true if nobody listens on the socket file at `path`.
pub(super) fn is_stale(path: &Path) -> bool {
    UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
