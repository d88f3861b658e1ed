//! The files that are served.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A directory with the files `1mb` and `100mb`. Dropping this removes it.
#[derive(Debug)]
pub(crate) struct Files(PathBuf);

impl Files {
    /// Writes the files, which leaves them in the page cache.
    pub(crate) fn write() -> io::Result<Files> {
        let name = format!("compare-files-{}", std::process::id());
        let files = Files(std::env::temp_dir().join(name));
        fs::create_dir_all(&files.0)?;
        for (name, megabytes) in [("1mb", 1), ("100mb", 100)] {
            let mut file = File::create(files.0.join(name))?;
            let megabyte = vec![b'x'; 1_000_000];
            for _ in 0..megabytes {
                file.write_all(&megabyte)?;
            }
        }
        Ok(files)
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.0
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What cannot be removed now is left to whatever clears the directory for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
