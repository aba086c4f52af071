//! Which files something stands in, and whether they changed.

use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

/// Largest file that is read: chains of certificates and bundles of all public authorities take less.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// What tells that a file is another than it was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Stamp {
    path: PathBuf,
    seen: Option<(u64, Option<SystemTime>, u64)>,
}

impl Stamp {
    pub(super) fn of(path: &Path) -> Self {
        let seen = fs::metadata(path).ok().map(|found| {
            #[cfg(unix)]
            let node = std::os::unix::fs::MetadataExt::ino(&found);
            #[cfg(not(unix))]
            let node = 0;
            (found.len(), found.modified().ok(), node)
        });
        Self { path: path.to_owned(), seen }
    }

    pub(super) fn is_outdated(&self) -> bool {
        Self::of(&self.path) != *self
    }
}

/// The whole file.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let length = fs::metadata(path)?.len();
    if length > MAX_FILE {
        let reason = format!("has {length} bytes, at most {MAX_FILE} are read");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    fs::read(path)
}
