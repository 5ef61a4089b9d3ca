//! A unit: its file, the drop-ins beside it, and what counts of all that they say
//! (systemd.unit(5)).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{Place, UnitError};
use super::host::Host;
use super::lines::{self, Directive, Ignored, WHITESPACE};
use super::specifiers::{self, SUFFIX, UnitName};
use super::words::{self, UnknownEscape};

/// A service as its files describe it.
#[derive(Debug, Clone)]
pub struct Unit {
    pub name: UnitName,
    /// The unit's own file, as it was named.
    pub path: PathBuf,
    /// The drop-ins that were read, in the order in which they count.
    pub drop_ins: Vec<PathBuf>,
    /// All assignments: the file's own first, then those of the drop-ins.
    directives: Vec<Directive>,
    /// What systemd passes over.
    pub ignored: Vec<Ignored>,
    /// What specifiers stand for.
    pub host: Host,
}

/// A value of a list, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub text: String,
    pub directive: Directive,
}

impl Unit {
    /// Reads a unit with the drop-ins beside it.
    ///
    /// # Errors
    /// When a file cannot be read, is none of a service, or would be refused by systemd.
    pub fn read(path: &Path, host: Host) -> Result<Self, UnitError> {
        let name = path
            .file_name()
            .and_then(|name| UnitName::parse(name.to_str()?))
            .ok_or_else(|| UnitError::Name(path.to_owned()))?;
        let text = fs::read_to_string(path).map_err(UnitError::read(path))?;
        let mut unit = Self {
            drop_ins: drop_ins(path, &name)?,
            name,
            path: path.to_owned(),
            directives: Vec::new(),
            ignored: Vec::new(),
            host,
        };
        unit.add(path, &text)?;
        for drop_in in unit.drop_ins.clone() {
            let text = fs::read_to_string(&drop_in).map_err(UnitError::read(&drop_in))?;
            unit.add(&drop_in, &text)?;
        }
        Ok(unit)
    }

    /// A unit from its text alone.
    ///
    /// # Errors
    /// When systemd would refuse it.
    pub fn from_text(path: &Path, text: &str, host: Host) -> Result<Self, UnitError> {
        let name = path
            .file_name()
            .and_then(|name| UnitName::parse(name.to_str()?))
            .ok_or_else(|| UnitError::Name(path.to_owned()))?;
        let mut unit = Self {
            name,
            path: path.to_owned(),
            drop_ins: Vec::new(),
            directives: Vec::new(),
            ignored: Vec::new(),
            host,
        };
        unit.add(path, text)?;
        Ok(unit)
    }

    fn add(&mut self, path: &Path, text: &str) -> Result<(), UnitError> {
        let lines = lines::read(path, text)?;
        self.directives.extend(lines.directives);
        self.ignored.extend(lines.ignored);
        Ok(())
    }

    /// The assignments of `[Service]`, in the order in which they count.
    pub fn service(&self) -> impl Iterator<Item = &Directive> {
        self.directives.iter().filter(|d| d.section == "Service")
    }

    /// The assignments of a key of `[Service]` that count where all do: those after the last
    /// empty one.
    pub fn all(&self, key: &str) -> Vec<&Directive> {
        let mut kept = Vec::new();
        for directive in self.service().filter(|d| d.key == key) {
            if directive.value.is_empty() {
                kept.clear();
            } else {
                kept.push(directive);
            }
        }
        kept
    }

    /// The assignment of a key of `[Service]` that counts where the last does; an empty one takes
    /// it back.
    pub fn last(&self, key: &str) -> Option<&Directive> {
        self.service()
            .filter(|d| d.key == key)
            .last()
            .filter(|d| !d.value.is_empty())
    }

    /// The last value of a key with its specifiers replaced.
    pub fn value(&self, key: &str) -> Option<Item> {
        self.last(key).map(|directive| Item {
            text: self.expand(&directive.value),
            directive: directive.clone(),
        })
    }

    /// A switch: where it is on, what turned it on. What is no switch is not one that is on.
    pub fn on(&self, key: &str) -> Option<&Directive> {
        self.last(key).filter(|d| is_on(&d.value))
    }

    /// The words of a key that lists paths or names, with their specifiers replaced. An empty
    /// assignment takes back what stands before it.
    pub fn list(&self, key: &str) -> Vec<Item> {
        let mut items = Vec::new();
        for directive in self.all(key) {
            let (words, _) = words::all(&directive.value, UnknownEscape::Kept);
            items.extend(words.into_iter().map(|word| Item {
                text: self.expand(&word),
                directive: directive.clone(),
            }));
        }
        items
    }

    /// A text with its specifiers replaced.
    pub fn expand(&self, text: &str) -> String {
        specifiers::expand(text, &self.name, &self.path, &self.host)
    }

    /// The first specifier of a text that does not exist.
    pub(super) fn unknown_specifier(&self, text: &str) -> Option<char> {
        specifiers::unknown(text, &self.name, &self.path, &self.host)
    }

    /// An error at a directive.
    pub(super) fn wrong(
        &self,
        directive: &Directive,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> UnitError {
        UnitError::Content {
            place: Place::clone(&directive.place),
            message: message.into(),
            excerpt: format!("{}={}", directive.key, directive.value),
            help: help.into(),
        }
    }
}

/// systemd's truth (`parse_boolean`).
pub(super) fn is_on(text: &str) -> bool {
    let text = text.trim_matches(WHITESPACE).to_ascii_lowercase();
    ["1", "yes", "y", "true", "t", "on"].contains(&text.as_str())
}

/// The drop-ins of a unit that lie beside it. They count in the order of their files' names,
/// whatever their folder; of two with one name, that of the more specific folder counts. An empty
/// one, or a link to /dev/null, masks the others of its name by that.
fn drop_ins(path: &Path, name: &UnitName) -> Result<Vec<PathBuf>, UnitError> {
    let beside = path.parent().unwrap_or(Path::new(""));
    let mut found: BTreeMap<std::ffi::OsString, PathBuf> = BTreeMap::new();
    // From the least specific folder on, so that the later ones replace.
    for folder in folders(name).into_iter().rev() {
        let folder = beside.join(folder);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(UnitError::read(&folder)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(UnitError::read(&folder))?;
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !hidden && entry.path().extension().is_some_and(|end| end == "conf") {
                found.insert(entry.file_name(), entry.path());
            }
        }
    }
    Ok(found.into_values().collect())
}

/// The folders of a unit's drop-ins, the most specific first: its own, its template's, those of
/// its name cut off after each dash, that of all services.
fn folders(name: &UnitName) -> Vec<String> {
    let mut folders = vec![format!("{}.d", name.full)];
    folders.extend(name.template().map(|template| format!("{template}.d")));
    let at = if name.instance.is_some() { "@" } else { "" };
    let mut prefix = name.prefix.as_str();
    while let Some(end) = prefix.trim_end_matches('-').rfind('-') {
        prefix = &prefix[..=end];
        folders.push(format!("{prefix}{at}{SUFFIX}.d"));
    }
    folders.push("service.d".to_owned());
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> Unit {
        Unit::from_text(Path::new("app.service"), text, Host::observe()).unwrap()
    }

    #[test]
    fn an_empty_assignment_takes_back_what_stands_before_it() {
        let unit = unit(
            "[Service]\nReadWritePaths=/a /b\nReadWritePaths=\nReadWritePaths=/c \"/d e\"\n\
             User=x\nUser=\nUMask=0022\nUMask=0077\n",
        );
        let paths: Vec<String> = unit
            .list("ReadWritePaths")
            .into_iter()
            .map(|i| i.text)
            .collect();
        assert_eq!(paths, ["/c", "/d e"]);
        assert_eq!(unit.last("User"), None);
        assert_eq!(unit.last("UMask").unwrap().value, "0077");
    }

    #[test]
    fn other_sections_do_not_count() {
        let unit = unit("[Unit]\nUser=x\n[Service]\nPrivateTmp=yes\nDynamicUser=off\n");
        assert_eq!(unit.last("User"), None);
        assert!(unit.on("PrivateTmp").is_some() && unit.on("DynamicUser").is_none());
    }

    #[test]
    fn drop_ins_count_by_their_names_and_the_more_specific_folder_wins() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("my-shop@eu.service", "[Service]\nEnvironment=A=0\n");
        write("my-shop@eu.service.d/20.conf", "[Service]\nUMask=20\n");
        write("my-shop@.service.d/10.conf", "[Service]\nUMask=10\n");
        write("my-shop@.service.d/20.conf", "[Service]\nUMask=0\n");
        write("my-@.service.d/15.conf", "[Service]\nUMask=15\n");
        write("service.d/30.conf", "");
        write("service.d/30.txt", "[Service]\nUMask=99\n");
        let unit = Unit::read(&folder.path().join("my-shop@eu.service"), Host::observe()).unwrap();
        let masks: Vec<&str> = unit
            .all("UMask")
            .into_iter()
            .map(|d| d.value.as_str())
            .collect();
        assert_eq!(masks, ["10", "15", "20"]);
        assert_eq!(unit.drop_ins.len(), 4);
    }

    #[test]
    fn what_is_no_service_is_refused() {
        let error = Unit::read(Path::new("app.socket"), Host::observe()).unwrap_err();
        assert!(error.to_string().contains(".service"));
    }
}
