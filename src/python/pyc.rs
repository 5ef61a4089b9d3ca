//! The header of a pyc: which source it says it belongs to (PEP 552).

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const LENGTH: usize = 16;
const MODIFIED_AT: u64 = 8;
/// So many bytes come before a pyc's code.
pub const HEADER_BYTES: u64 = LENGTH as u64;
const SIZE_AT: u64 = 12;

/// What a pyc that goes by time and size recorded of its source, 32 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PycHeader {
    pub modified: u32,
    pub size: u32,
}

impl PycHeader {
    /// Reads a pyc's header. There is none if the file is too short, or if it goes by a hash.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(pyc: &Path) -> io::Result<Option<Self>> {
        let mut bytes = Vec::with_capacity(LENGTH);
        fs::File::open(pyc)?
            .take(LENGTH as u64)
            .read_to_end(&mut bytes)?;
        let word = |index: usize| {
            let word = bytes.get(index * 4..index * 4 + 4)?;
            word.try_into().ok().map(u32::from_le_bytes)
        };
        Ok(match (word(1), word(2), word(3)) {
            (Some(0), Some(modified), Some(size)) => Some(Self { modified, size }),
            _ => None,
        })
    }

    /// What a pyc made now from this source would record.
    ///
    /// # Errors
    /// When the source is not there.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "CPython keeps the lower 32 bits of both"
    )]
    pub fn of_source(source: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(source)?;
        Ok(Self {
            modified: metadata.mtime() as u32,
            size: metadata.len() as u32,
        })
    }

    /// The number that says which interpreter a pyc is of; none if the file is too short.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_magic(pyc: &Path) -> io::Result<Option<u16>> {
        let mut bytes = Vec::with_capacity(2);
        fs::File::open(pyc)?.take(2).read_to_end(&mut bytes)?;
        Ok(bytes.try_into().ok().map(u16::from_le_bytes))
    }

    /// Makes a pyc say that an interpreter with this number made it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record_magic(pyc: &Path, magic: u16) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).open(pyc)?;
        file.write_all(&magic.to_le_bytes())
    }

    /// Writes another time of the source into a pyc's header.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record_modified(pyc: &Path, modified: u32) -> io::Result<()> {
        write_word(pyc, MODIFIED_AT, modified)
    }

    /// Writes another size into a pyc's header.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record_size(pyc: &Path, size: u32) -> io::Result<()> {
        write_word(pyc, SIZE_AT, size)
    }
}

fn write_word(pyc: &Path, offset: u64, word: u32) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).open(pyc)?;
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(&word.to_le_bytes())
}

/// The source of a pyc in a `__pycache__` (PEP 3147): `shop.py` of
/// `__pycache__/shop.cpython-311.opt-1.pyc`.
pub fn source_of(pyc: &Path) -> Option<PathBuf> {
    let folder = pyc.parent()?;
    let name = pyc.file_name()?.to_str()?;
    let stem = name.strip_suffix(".pyc")?;
    let stem = match stem.rsplit_once(".opt-") {
        Some((stem, _)) => stem,
        None => stem,
    };
    let (module, _tag) = stem.rsplit_once('.')?;
    (folder.file_name()? == "__pycache__").then(|| {
        folder
            .parent()
            .map(|folder| folder.join(format!("{module}.py")))
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_and_its_size_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let pyc = folder.path().join("a.pyc");
        let bytes = |flags: u8| {
            [
                &[1, 2, 13, 10, flags, 0, 0, 0, 5, 0, 0, 0, 7, 0, 0, 0][..],
                b"rest",
            ]
            .concat()
        };
        fs::write(&pyc, bytes(0)).unwrap();
        let header = PycHeader::read(&pyc).unwrap();
        assert_eq!(
            header,
            Some(PycHeader {
                modified: 5,
                size: 7
            })
        );
        PycHeader::record_size(&pyc, 8).unwrap();
        assert_eq!(PycHeader::read(&pyc).unwrap().unwrap().size, 8);
        assert!(fs::read(&pyc).unwrap().ends_with(b"rest"));
        fs::write(&pyc, bytes(3)).unwrap();
        assert_eq!(PycHeader::read(&pyc).unwrap(), None);
        fs::write(&pyc, b"").unwrap();
        assert_eq!(PycHeader::read(&pyc).unwrap(), None);
    }

    #[test]
    fn a_pycs_source_is_found_by_its_name() {
        let of = |path: &str| source_of(Path::new(path));
        assert_eq!(of("s/__pycache__/a.cpython-311.pyc"), Some("s/a.py".into()));
        assert_eq!(
            of("s/__pycache__/a.cpython-311.opt-2.pyc"),
            Some("s/a.py".into())
        );
        assert_eq!(
            of("s/__pycache__/a.b.cpython-311.pyc"),
            Some("s/a.b.py".into())
        );
        assert_eq!(of("s/a.pyc"), None);
        assert_eq!(of(""), None);
    }
}
