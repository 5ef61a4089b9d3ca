//! What owner, group, mode and access control list let a user do (path_resolution(7), acl(5)).

use std::os::fd::AsFd;
use std::path::Path;

use nix::sys::stat::{FileStat, stat};
use rustix::fs::{fgetxattr, getxattr};
use rustix::io::Errno;

/// Where Linux keeps a file's access control list, if it has one beyond its mode.
const ATTRIBUTE: &str = "system.posix_acl_access";
/// The only version of the list's layout (`linux/posix_acl_xattr.h`).
const VERSION: u32 = 2;
/// Most lists are shorter.
const USUAL: usize = 1 << 10;
/// No attribute is longer (xattr(7)).
const LONGEST: usize = 64 << 10;

/// Who may do what with a file or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    pub owner: u32,
    pub group: u32,
    /// The last twelve bits.
    pub mode: u32,
    list: Vec<Entry>,
}

/// An entry of an access control list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    whom: Whom,
    bits: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    Owner,
    User(u32),
    OwningGroup,
    Group(u32),
    /// What users and groups by name, and the owning group, get at most.
    Mask,
    Others,
}

impl Permissions {
    /// Of what a path leads to, if it can be looked at.
    pub fn at(path: &Path) -> Option<Self> {
        let found = stat(path).ok()?;
        Some(Self::new(&found, |room| getxattr(path, ATTRIBUTE, room)))
    }

    /// Of an open file.
    pub fn of(file: impl AsFd, found: &FileStat) -> Self {
        Self::new(found, |room| fgetxattr(&file, ATTRIBUTE, room))
    }

    fn new(found: &FileStat, mut attribute: impl FnMut(&mut [u8]) -> Result<usize, Errno>) -> Self {
        let mut room = vec![0; USUAL];
        let mut length = attribute(&mut room);
        if length == Err(Errno::RANGE) {
            room.resize(LONGEST, 0);
            length = attribute(&mut room);
        }
        // Most files have none, and some file systems know of none.
        let bytes = length.ok().and_then(|length| room.get(..length));
        Self {
            owner: found.st_uid,
            group: found.st_gid,
            mode: found.st_mode & 0o7777,
            list: bytes.and_then(entries).unwrap_or_default(),
        }
    }

    /// Is there more than owner, group and mode?
    pub fn has_list(&self) -> bool {
        !self.list.is_empty()
    }

    /// Do they let a user do this? Bits as in a mode: 4 to read, 2 to write, 1 to go through. A user
    /// without a number owns nothing.
    pub fn allow(&self, uid: Option<u32>, groups: &[u32], bits: u32) -> bool {
        let has = |granted: u32| granted & bits == bits;
        if self.list.is_empty() {
            let shift = if uid == Some(self.owner) {
                6
            } else if groups.contains(&self.group) {
                3
            } else {
                0
            };
            return has(self.mode >> shift);
        }
        let of = |whom: Whom| self.list.iter().find(|entry| entry.whom == whom);
        let mask = of(Whom::Mask).map_or(0o7, |entry| entry.bits);
        if uid == Some(self.owner) {
            return of(Whom::Owner).is_some_and(|entry| has(entry.bits));
        }
        if let Some(entry) = uid.and_then(|uid| of(Whom::User(uid))) {
            return has(entry.bits & mask);
        }
        let is_theirs = |entry: &&Entry| match entry.whom {
            Whom::OwningGroup => groups.contains(&self.group),
            Whom::Group(group) => groups.contains(&group),
            Whom::Owner | Whom::User(_) | Whom::Mask | Whom::Others => false,
        };
        let mut theirs = self.list.iter().filter(is_theirs).peekable();
        if theirs.peek().is_some() {
            // One of them must give all that is asked for.
            return theirs.any(|entry| has(entry.bits & mask));
        }
        of(Whom::Others).is_some_and(|entry| has(entry.bits))
    }
}

/// The entries of a list as it is stored; `None` of one that makes no sense.
fn entries(bytes: &[u8]) -> Option<Vec<Entry>> {
    let (version, rest) = bytes.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*version) != VERSION {
        return None;
    }
    let entries = rest.chunks(8).map(|entry| {
        let &[tag, tag_high, bits, _, a, b, c, d] = entry.first_chunk::<8>()?;
        let id = u32::from_le_bytes([a, b, c, d]);
        let whom = match u16::from_le_bytes([tag, tag_high]) {
            0x01 => Whom::Owner,
            0x02 => Whom::User(id),
            0x04 => Whom::OwningGroup,
            0x08 => Whom::Group(id),
            0x10 => Whom::Mask,
            0x20 => Whom::Others,
            _ => return None,
        };
        let bits = u32::from(bits);
        Some(Entry { whom, bits })
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of user 1 and group 1 with this mode and list.
    fn file(mode: u32, list: &[(Whom, u32)]) -> Permissions {
        Permissions {
            owner: 1,
            group: 1,
            mode,
            list: list
                .iter()
                .map(|&(whom, bits)| Entry { whom, bits })
                .collect(),
        }
    }

    #[test]
    fn without_a_list_the_first_class_of_the_mode_that_fits_decides() {
        let found = file(0o750, &[]);
        assert!(found.allow(Some(1), &[], 0o3));
        assert!(found.allow(Some(2), &[1], 0o5));
        assert!(!found.allow(Some(2), &[1], 0o2));
        assert!(!found.allow(None, &[2], 0o1));
        // The owner is none of the others.
        assert!(!file(0o077, &[]).allow(Some(1), &[1], 0o4));
    }

    #[test]
    fn a_list_gives_and_takes_what_the_mode_does_not_say() {
        let base = [
            (Whom::Owner, 0o7),
            (Whom::User(2), 0o7),
            (Whom::User(3), 0),
            (Whom::OwningGroup, 0o5),
            (Whom::Group(4), 0o3),
            (Whom::Mask, 0o7),
            (Whom::Others, 0o7),
        ];
        let found = file(0o777, &base);
        assert!(found.allow(Some(2), &[], 0o3));
        assert!(!found.allow(Some(3), &[4], 0o4), "by name, and no more");
        assert!(found.allow(Some(5), &[1, 4], 0o3), "one group gives it all");
        assert!(!found.allow(Some(5), &[1], 0o3));
        assert!(!found.allow(Some(5), &[1, 4], 0o7), "no group gives it all");
        assert!(found.allow(Some(5), &[9], 0o7));

        // The mask bounds names and groups, neither owner nor others.
        let mut masked = base;
        masked[5] = (Whom::Mask, 0o5);
        let found = file(0o757, &masked);
        assert!(!found.allow(Some(2), &[], 0o3));
        assert!(found.allow(Some(1), &[], 0o7));
        assert!(found.allow(None, &[], 0o7));
    }

    #[test]
    fn a_list_is_read_as_it_is_stored() {
        let bytes = [
            &2_u32.to_le_bytes()[..],
            &[1, 0, 7, 0, 255, 255, 255, 255],
            &[2, 0, 3, 0, 33, 0, 0, 0],
            &[32, 0, 5, 0, 255, 255, 255, 255],
        ]
        .concat();
        let read = entries(&bytes).unwrap();
        assert_eq!(read[1].whom, Whom::User(33));
        assert_eq!((read[1].bits, read[2].bits), (3, 5));
        assert_eq!(entries(&bytes[..bytes.len() - 1]), None);
        assert_eq!(entries(&[]), None);
        assert_eq!(entries(&[1, 0, 0, 0]), None);
    }
}
