//! A store's file: found or made, locked, and known again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use crate::store::StoreError;

/// How often another name is tried for a new file before it is put in its place.
const NAMES: usize = 8;

/// The file of a store. While it is open nobody else opens it.
#[derive(Debug)]
pub(super) struct StoreFile {
    file: File,
    path: PathBuf,
}

fn unavailable(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}

impl StoreFile {
    /// Opens and locks the file at `path`. `None`: there is none.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unavailable(path, &error)),
        };
        if !file.metadata().map_err(|error| unavailable(path, &error))?.is_file() {
            return Err(StoreError::Unavailable(format!("{} is not a file", path.display())));
        }
        match file.try_lock() {
            Ok(()) => {
                // Whoever made it may have been killed before its name was on disk.
                sync_directory(path).map_err(|error| unavailable(path, &error))?;
                own(&file).map_err(|error| unavailable(path, &error))?;
                Ok(Some(Self { file, path: path.to_owned() }))
            }
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(unavailable(path, &error)),
        }
    }
}

/// Makes the file at `path`, of which there must be none, whole or not at all: `write` fills it
/// under another name in the same directory, and it gets its own when it is on disk.
pub(super) fn create(
    path: &Path,
    write: impl FnOnce(StoreFile) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let wrong = |error: &io::Error| unavailable(path, error);
    if fs::symlink_metadata(path).is_ok() {
        return Err(wrong(&io::ErrorKind::AlreadyExists.into()));
    }
    let (file, temporary) = temporary(path).map_err(|error| wrong(&error))?;
    let made = write(StoreFile { file, path: temporary.clone() });
    // A link, unlike a renaming, replaces nothing.
    let named = made.and_then(|()| fs::hard_link(&temporary, path).map_err(|error| wrong(&error)));
    let removed = fs::remove_file(&temporary);
    named?;
    removed.and_then(|()| sync_directory(path)).map_err(|error| wrong(&error))
}

/// A new file beside `path` that only its owner reads and writes.
fn temporary(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".new.");
    for _ in 0..NAMES {
        let mut name = name.clone();
        name.push(format!("{:016x}", fastrand::u64(..)));
        let temporary = path.with_file_name(name);
        let mut options = OpenOptions::new();
        // Also refuses to follow a link that somebody put there.
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&temporary) {
            Ok(file) => return own(&file).map(|()| (file, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Sets the mode again: a umask may have taken from it.
#[cfg(unix)]
fn own(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn own(_: &File) -> io::Result<()> {
    Ok(())
}

/// Makes the name of a file outlive a crash.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(directory.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

impl Disk for StoreFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    #[cfg(unix)]
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, out, offset)
    }

    #[cfg(windows)]
    fn read(&self, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
        while !out.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, out, offset)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => {
                    offset += u64::try_from(read).map_err(io::Error::other)?;
                    out = out.get_mut(read..).unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    #[cfg(unix)]
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.file, data, offset)
    }

    #[cfg(windows)]
    fn write(&self, mut offset: u64, mut data: &[u8]) -> io::Result<()> {
        while !data.is_empty() {
            match std::os::windows::fs::FileExt::seek_write(&self.file, data, offset)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => {
                    offset += u64::try_from(written).map_err(io::Error::other)?;
                    data = data.get(written..).unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn check(&self) -> io::Result<()> {
        match fs::metadata(&self.path) {
            Ok(there) if same(&there, &self.file.metadata()?) => Ok(()),
            Ok(_) => Err(io::Error::other("the file was replaced")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(io::Error::other("the file was removed"))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(unix)]
fn same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    // A file that is open cannot be replaced there.
    true
}
