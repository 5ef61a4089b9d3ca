//! Modules in a zip archive on the path (`Lib/zipimport.py`): bytecode counts if it lies in the archive
//! beside its source, and none is ever written there.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;

use nix::fcntl::AT_FDCWD;

use super::files::open;

/// `PK\5\6`, and the length of what it begins.
const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
/// A comment comes after that, so long at most.
const COMMENT: u64 = 1 << 16;
/// `PK\1\2`, and the length of what comes before a member's name.
const MEMBER: &[u8] = b"PK\x01\x02";
const MEMBER_LENGTH: usize = 46;
/// A longer list of members is not read.
const LONGEST: usize = 64 << 20;

/// An archive's modules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Members {
    pub modules: usize,
    /// Those of which it holds the source and no bytecode: compiled at every start that imports them.
    pub uncompiled: usize,
}

impl Members {
    /// Of the archive at a path; `None` if it is none, or cannot be read.
    pub fn of(path: &Path) -> Option<Self> {
        let file = File::from(open(AT_FDCWD, path.as_os_str().as_bytes(), None).ok()?);
        let length = file.metadata().ok()?.len();
        let from = length.saturating_sub(COMMENT + END_LENGTH as u64);
        let tail = read(&file, from, usize::try_from(length - from).ok()?)?;
        let at = tail.windows(END.len()).rposition(|bytes| bytes == END)?;
        let size = number(&tail, at + 12, 4)?;
        // Something may stand before the archive, as an interpreter's line does: its list ends here.
        let list = (from + at as u64).checked_sub(size as u64)?;
        (size <= LONGEST)
            .then(|| read(&file, list, size))?
            .as_deref()
            .map(Self::in_list)
    }

    fn in_list(list: &[u8]) -> Self {
        let mut names: BTreeSet<&[u8]> = BTreeSet::new();
        let mut rest = list;
        while let Some(name) = rest
            .strip_prefix(MEMBER)
            .and_then(|_| rest.get(MEMBER_LENGTH..)?.get(..number(rest, 28, 2)?))
        {
            names.insert(name);
            let others = number(rest, 30, 2).unwrap_or(0) + number(rest, 32, 2).unwrap_or(0);
            let next = MEMBER_LENGTH + name.len() + others;
            rest = rest.get(next..).unwrap_or_default();
        }
        let mut members = Self::default();
        for name in &names {
            let has = |other: &[u8]| names.contains(other);
            if let Some(stem) = name.strip_suffix(b".py") {
                members.modules += 1;
                members.uncompiled += usize::from(!has(&[stem, b".pyc"].concat()));
            } else if let Some(stem) = name.strip_suffix(b".pyc") {
                let is_cache = stem.windows(12).any(|part| part == b"__pycache__/");
                members.modules += usize::from(!is_cache && !has(&[stem, b".py"].concat()));
            }
        }
        members
    }
}

fn read(file: &File, at: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at).ok()?;
    Some(bytes)
}

/// A number of so many bytes, four at most.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.get(..length)?;
    let number = bytes
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> Vec<u8> {
        let mut member = vec![0; MEMBER_LENGTH];
        member[..4].copy_from_slice(MEMBER);
        member[28] = u8::try_from(name.len()).unwrap();
        member[30] = 2;
        member.extend(name.as_bytes());
        member.extend([0, 0]);
        member
    }

    #[test]
    fn bytecode_beside_its_source_counts_and_no_other() {
        let names = [
            "a.py",
            "a.pyc",
            "b.py",
            "p/__init__.py",
            "p/__pycache__/__init__.cpython-311.pyc",
            "p/data.txt",
            "c.pyc",
        ];
        let list: Vec<u8> = names.iter().flat_map(|name| member(name)).collect();
        let members = Members {
            modules: 4,
            uncompiled: 2,
        };
        assert_eq!(Members::in_list(&list), members);
        for length in 0..list.len() {
            let cut = Members::in_list(&list[..length]);
            assert!(cut.modules <= members.modules);
        }
    }

    #[test]
    fn what_is_no_archive_has_no_members() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.zip");
        let mut end = vec![0; END_LENGTH];
        end[..4].copy_from_slice(END);
        let mut huge = end.clone();
        huge[12..16].copy_from_slice(&[255; 4]);
        for (bytes, expected) in [
            (Vec::new(), None),
            (b"PK\x05\x06".to_vec(), None),
            (huge, None),
            (end, Some(Members::default())),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(Members::of(&path), expected);
        }
        assert_eq!(Members::of(folder.path()), None);
    }
}
