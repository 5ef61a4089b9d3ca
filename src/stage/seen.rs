//! What a launch's hook saw: its lines, read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::record::format::ModuleReceipt;

/// The hook's lines, read.
pub(super) struct Seen {
    pub executable: String,
    pub prefix: String,
    pub dont_write: bool,
    pub optimize: String,
    /// The words of the command, the interpreter first.
    command: Vec<String>,
    /// The control groups that the process was in.
    pub groups: Vec<String>,
    pub modules: Vec<ModuleReceipt>,
    /// Files that were opened or mapped, if that was asked for.
    pub opened: BTreeSet<PathBuf>,
}

/// The first pyc whose code broke off, by the hook's lines.
pub(super) fn broken_pyc(text: &str) -> Option<PathBuf> {
    text.lines().find_map(|line| {
        let mut fields = line.split('\t');
        (fields.next() == Some("broken")).then_some(())?;
        fields.nth(1).map(PathBuf::from)
    })
}

impl Seen {
    pub fn parse(text: &str, source: &Path) -> Result<Self, String> {
        let mut interpreter = None;
        let mut command: Option<Vec<String>> = None;
        let mut opened = BTreeSet::new();
        let mut groups: Option<Vec<String>> = None;
        let mut modules: Vec<ModuleReceipt> = Vec::new();
        let mut place: BTreeMap<String, usize> = BTreeMap::new();
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                // A server that forks has one hook a process; the first is the one launched.
                ["interpreter", executable, prefix, dont_write, optimize] => {
                    interpreter.get_or_insert((executable, prefix, dont_write == "1", optimize));
                }
                ["command", ref words @ ..] => {
                    command.get_or_insert_with(|| words.iter().map(|w| (*w).to_owned()).collect());
                }
                ["opened", path] => {
                    opened.insert(PathBuf::from(path));
                }
                ["groups", ref paths @ ..] => {
                    groups.get_or_insert_with(|| paths.iter().map(|p| (*p).to_owned()).collect());
                }
                ["module", name, path, code @ ("read" | "compiled")] => {
                    place.insert(name.to_owned(), modules.len());
                    modules.push(module(name, path, source, code, None));
                }
                ["before", name, path, state] => {
                    let (code, write) = match state {
                        "written" => ("compiled", Some("written")),
                        "compiled" => ("compiled", None),
                        _ => ("read", None),
                    };
                    modules.push(module(name, path, source, code, write));
                }
                // The app caught the error, or it would not have come this far.
                ["broken", ..] => {}
                ["write", name, result] => {
                    if let Some(&index) = place.get(name) {
                        modules[index].write = Some(result.to_owned());
                    }
                }
                _ => return Err(format!("its line {line:?} makes no sense")),
            }
        }
        let (executable, prefix, dont_write, optimize) =
            interpreter.ok_or("it does not begin with the interpreter")?;
        Ok(Self {
            executable: executable.to_owned(),
            prefix: prefix.to_owned(),
            dont_write,
            optimize: optimize.to_owned(),
            command: command.unwrap_or_default(),
            groups: groups.unwrap_or_default(),
            modules,
            opened,
        })
    }

    /// These flags, if they stand together in the command, or none. The interpreter need not come
    /// right before them: one that is started through its loader has more words there.
    pub fn flags<'a>(&self, flags: &'a [String]) -> &'a [String] {
        let found = !flags.is_empty()
            && self
                .command
                .windows(flags.len())
                .any(|words| words == flags);
        if found { flags } else { &[] }
    }

    pub fn names(&self, which: impl Fn(&ModuleReceipt) -> bool) -> Vec<&str> {
        self.modules
            .iter()
            .filter(|module| which(module))
            .map(|module| module.name.as_str())
            .collect()
    }
}

fn module(name: &str, path: &str, source: &Path, code: &str, write: Option<&str>) -> ModuleReceipt {
    let path = Path::new(path);
    let is_package_folder =
        |part: &std::ffi::OsStr| part == "site-packages" || part == "dist-packages";
    let origin = if path.iter().any(is_package_folder) {
        "site-packages"
    } else if path.starts_with(source) || path.is_relative() {
        "app"
    } else {
        "stdlib"
    };
    ModuleReceipt {
        name: name.to_owned(),
        origin: origin.to_owned(),
        code: code.to_owned(),
        write: write.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hooks_lines_become_modules_with_their_origin() {
        let text = "interpreter\t/usr/bin/python3\t\t0\t1\n\
                    command\tpython3\t-O\tapp.py\n\
                    before\tos\t/usr/lib/python3.11/os.py\tread\n\
                    module\tapp\t/stage/s00/source/app.py\tcompiled\n\
                    write\tapp\tEROFS\n\
                    module\tflask\t/v/lib/python3.11/site-packages/flask/__init__.py\tread\n";
        let seen = Seen::parse(text, Path::new("/stage/s00/source")).unwrap();
        assert_eq!((seen.optimize.as_str(), seen.command.len()), ("1", 3));
        let (there, absent) = (["-O".to_owned()], ["-B".to_owned()]);
        assert_eq!(seen.flags(&there), there);
        assert!(seen.flags(&absent).is_empty());
        let line = |m: &ModuleReceipt| format!("{} {} {} {:?}", m.name, m.origin, m.code, m.write);
        let lines: Vec<_> = seen.modules.iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "os stdlib read None",
                "app app compiled Some(\"EROFS\")",
                "flask site-packages read None"
            ]
        );
    }

    #[test]
    fn a_receipt_that_makes_no_sense_is_refused() {
        assert!(Seen::parse("", Path::new("/s")).is_err());
        assert!(Seen::parse("module\tapp\n", Path::new("/s")).is_err());
    }
}
