//! Files in the page cache: how much of one is there, and out with it.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::unistd::{AccessFlags, Uid, access};

/// Pages of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Pages(pub u64);

impl Pages {
    /// Their size in KiB.
    pub fn kib(self) -> u64 {
        self.0 * page_bytes() / 1024
    }
}

impl std::ops::AddAssign for Pages {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

/// A file in the page cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Residency {
    Seen {
        resident: Pages,
        all: Pages,
    },
    /// The kernel does not tell about files that one may neither own nor write: for those
    /// mincore(2) calls every page resident (since Linux 5.2).
    Unseen {
        all: Pages,
    },
}

/// The user whom files of users that a user namespace doesn't know seem to belong to.
const NOBODY: u32 = 65534;

/// How much of a file is in the page cache; `None` if there is no such file, or nothing in it.
pub(super) fn residency(path: &Path) -> Option<Residency> {
    let file = open(path)?;
    let metadata = file.metadata().ok()?;
    let bytes = usize::try_from(metadata.len()).ok()?;
    let all = Pages(metadata.len().div_ceil(page_bytes()));
    let me = Uid::effective();
    // In a user namespace all other users look like `nobody`, which this may be.
    let is_ours = metadata.uid() == me.as_raw() && me.as_raw() != NOBODY;
    let told = me.is_root() || is_ours || access(path, AccessFlags::W_OK).is_ok();
    if !told {
        return Some(Residency::Unseen { all });
    }
    let resident = resident_pages(&file, bytes, all).ok()?;
    Some(Residency::Seen { resident, all })
}

/// Asks the kernel to drop a file's pages. It does so for those that are clean, and that no
/// process has mapped.
pub(super) fn evict(path: &Path) {
    if let Some(file) = open(path) {
        // Advice: whether it was followed is seen by looking again.
        let _ = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    }
}

/// Reads a file, so that it is in the page cache.
pub(super) fn read(path: &Path) {
    if let Some(mut file) = open(path) {
        let _ = io::copy(&mut file, &mut io::sink());
    }
}

/// A regular file with something in it. Opening a pipe could wait for ever.
fn open(path: &Path) -> Option<File> {
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .ok()?;
    let metadata = file.metadata().ok()?;
    (metadata.is_file() && metadata.len() > 0).then_some(file)
}

fn resident_pages(file: &File, bytes: usize, all: Pages) -> io::Result<Pages> {
    let mut pages = vec![0_u8; usize::try_from(all.0).unwrap_or(0)];
    // SAFETY: a new mapping at an address of the kernel's choice, which is never read through and
    // is unmapped below; mincore gets one byte for each of its pages.
    unsafe {
        let mapping = libc::mmap(
            std::ptr::null_mut(),
            bytes,
            libc::PROT_READ,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        );
        if mapping == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let looked = libc::mincore(mapping, bytes, pages.as_mut_ptr());
        let error = io::Error::last_os_error();
        libc::munmap(mapping, bytes);
        if looked != 0 {
            return Err(error);
        }
    }
    // The other bits are reserved.
    let resident = pages.iter().filter(|page| *page & 1 == 1).count();
    Ok(Pages(resident as u64))
}

fn page_bytes() -> u64 {
    // SAFETY: asks for a constant of the system.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(bytes).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_resident_and_all_of_it_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, vec![1; 3 * 65536 + 1]).unwrap();
        let Some(Residency::Seen { resident, all }) = residency(&path) else {
            panic!("one's own file is not seen");
        };
        assert_eq!(resident, all);
        assert_eq!(all.0, (3 * 65536 + 1_u64).div_ceil(page_bytes()));
    }

    #[test]
    fn what_is_no_file_with_something_in_it_has_no_pages() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(residency(folder.path()), None);
        assert_eq!(residency(&folder.path().join("gone")), None);
        assert_eq!(residency(Path::new("/proc/self/maps")), None);
        assert_eq!(residency(Path::new("/dev/zero")), None);
    }
}
