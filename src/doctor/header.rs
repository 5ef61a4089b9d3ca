//! The header of a pyc, judged as CPython does (`_classify_pyc`, `_validate_timestamp_pyc` and
//! `_validate_hash_pyc` in `Lib/importlib/_bootstrap_external.py`; PEP 552).

use std::hash::Hasher;

use siphasher::sip::{SipHasher13, SipHasher24};

use super::verdict::{Evidence, Verdict};

/// So long a header is.
pub const LENGTH: usize = 16;
/// What follows the number of the version: a pyc that went through a text editor or FTP lacks it.
const AFTER_MAGIC: [u8; 2] = *b"\r\n";
/// Bits of the flags.
const GOES_BY_HASH: u32 = 1;
const SOURCE_IS_CHECKED: u32 = 2;

/// `--check-hash-based-pycs`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HashCheck {
    /// Of pycs that ask for it.
    #[default]
    Default,
    Always,
    Never,
}

/// How an interpreter hashes a source (`_imp.source_hash`): SipHash with the magic number's four
/// bytes as its key. Since 3.11 with fewer rounds (bpo-29410).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceHash {
    rounds: Rounds,
    key: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rounds {
    TwoFour,
    OneThree,
}

impl SourceHash {
    /// Of Python 3.`minor` with this magic number.
    pub fn of(minor: u32, magic: u16) -> Self {
        let rounds = if minor >= 11 {
            Rounds::OneThree
        } else {
            Rounds::TwoFour
        };
        Self {
            rounds,
            key: u64::from(u32::from_le_bytes(raw(magic))),
        }
    }

    /// The eight bytes that a pyc of this source has in its header.
    pub fn hash(self, source: &[u8]) -> [u8; 8] {
        fn finished(mut hasher: impl Hasher, source: &[u8]) -> u64 {
            hasher.write(source);
            hasher.finish()
        }
        let hash = match self.rounds {
            Rounds::OneThree => finished(SipHasher13::new_with_keys(self.key, 0), source),
            Rounds::TwoFour => finished(SipHasher24::new_with_keys(self.key, 0), source),
        };
        hash.to_le_bytes()
    }
}

fn raw(magic: u16) -> [u8; 4] {
    let [low, high] = magic.to_le_bytes();
    [low, high, AFTER_MAGIC[0], AFTER_MAGIC[1]]
}

/// What a header says to an interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// The pyc is not taken.
    Refused(Verdict, Evidence),
    /// It is if the source was modified then and is so large, 32 bits each.
    IfUnchanged { modified: u32, size: u32 },
    /// It is if the source has this hash.
    IfHash([u8; 8]),
    /// It is, whatever the source.
    Trusted,
}

/// Judges the first bytes of a pyc.
pub fn judge(start: &[u8], magic: u16, check: HashCheck) -> Judged {
    let length = start.len() as u64;
    let short = Evidence::Short { bytes: length };
    match start.get(..4) {
        None => return Judged::Refused(Verdict::BadMagic, short),
        Some(found) if found != raw(magic) => {
            let found = u16::from_le_bytes([found[0], found[1]]);
            return Judged::Refused(Verdict::BadMagic, Evidence::Magic { found });
        }
        Some(_) => {}
    }
    let word = |at: usize| {
        let bytes = start.get(at..at + 4)?;
        bytes.try_into().ok().map(u32::from_le_bytes)
    };
    let (Some(flags), Some(modified), Some(size)) = (word(4), word(8), word(12)) else {
        return Judged::Refused(Verdict::BadFlags, short);
    };
    if flags & !(GOES_BY_HASH | SOURCE_IS_CHECKED) != 0 {
        return Judged::Refused(Verdict::BadFlags, Evidence::Flags { found: flags });
    }
    if flags & GOES_BY_HASH == 0 {
        return Judged::IfUnchanged { modified, size };
    }
    let is_checked = match check {
        HashCheck::Never => false,
        HashCheck::Always => true,
        HashCheck::Default => flags & SOURCE_IS_CHECKED != 0,
    };
    match start.get(8..LENGTH).and_then(|hash| hash.try_into().ok()) {
        Some(hash) if is_checked => Judged::IfHash(hash),
        _ => Judged::Trusted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: u16 = 3495;

    fn header(flags: u32) -> Vec<u8> {
        let mut header = raw(MAGIC).to_vec();
        header.extend(flags.to_le_bytes());
        header.extend([1, 0, 0, 0, 2, 0, 0, 0]);
        header
    }

    fn judged(start: &[u8]) -> Judged {
        judge(start, MAGIC, HashCheck::Default)
    }

    #[test]
    fn flags_say_what_a_pyc_goes_by() {
        let unchanged = Judged::IfUnchanged {
            modified: 1,
            size: 2,
        };
        assert_eq!(judged(&header(0)), unchanged);
        // To be checked without going by a hash is to go by time and size.
        assert_eq!(judged(&header(2)), unchanged);
        assert_eq!(judged(&header(1)), Judged::Trusted);
        assert_eq!(judged(&header(3)), Judged::IfHash([1, 0, 0, 0, 2, 0, 0, 0]));
        let always = judge(&header(1), MAGIC, HashCheck::Always);
        assert_eq!(always, Judged::IfHash([1, 0, 0, 0, 2, 0, 0, 0]));
        let never = judge(&header(3), MAGIC, HashCheck::Never);
        assert_eq!(never, Judged::Trusted);
        let bad = Evidence::Flags { found: 4 };
        assert_eq!(judged(&header(4)), Judged::Refused(Verdict::BadFlags, bad));
    }

    #[test]
    fn a_header_that_is_cut_off_or_of_another_version_is_refused() {
        for length in 0..LENGTH {
            let verdict = if length < 4 {
                Verdict::BadMagic
            } else {
                Verdict::BadFlags
            };
            let bytes = length as u64;
            let refused = Judged::Refused(verdict, Evidence::Short { bytes });
            assert_eq!(judged(&header(0)[..length]), refused);
        }
        let other = judge(&header(0), 3413, HashCheck::Default);
        let found = Evidence::Magic { found: MAGIC };
        assert_eq!(other, Judged::Refused(Verdict::BadMagic, found));
        // Line ends were converted.
        let mut converted = header(0);
        converted[2] = b'\n';
        assert!(matches!(
            judged(&converted),
            Judged::Refused(Verdict::BadMagic, _)
        ));
    }
}
