//! What a launch's hook saw: its lines, read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::python::{Part, is_installed};
use crate::record::format::{ModuleReceipt, SecondImport};

/// The hook's lines, read.
pub(super) struct Seen {
    pub executable: String,
    pub prefix: String,
    pub dont_write: bool,
    pub optimize: String,
    pub cache_tag: String,
    /// What a second import did, where there was one.
    pub second_import: Option<SecondImport>,
    /// The words of the command, the interpreter first.
    command: Vec<String>,
    /// The control groups that the process was in.
    pub groups: Vec<String>,
    pub modules: Vec<ModuleReceipt>,
    /// Of each of the modules, the file that its code comes from.
    paths: Vec<PathBuf>,
    /// Files that were opened or mapped, if that was asked for.
    pub opened: BTreeSet<PathBuf>,
}

/// Where the trees of an app lie, to tell whose a module is.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    pub app: Vec<PathBuf>,
    pub stdlib: PathBuf,
}

impl Origins {
    /// Whose module this file holds.
    pub fn part(&self, path: &Path) -> Part {
        let below = |folder: &PathBuf| path.strip_prefix(folder).is_ok_and(|p| !is_installed(p));
        if path.is_relative() || self.app.iter().any(below) {
            Part::App
        } else if below(&self.stdlib) {
            Part::Stdlib
        } else {
            // In one of the folders that the interpreter names, or where a path file (*.pth) points to.
            Part::SitePackages
        }
    }
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
    pub fn parse(text: &str, origins: &Origins) -> Result<Self, String> {
        let mut interpreter = None;
        let mut command: Option<Vec<String>> = None;
        let mut opened = BTreeSet::new();
        let mut groups: Option<Vec<String>> = None;
        let mut modules: Vec<ModuleReceipt> = Vec::new();
        let mut paths = Vec::new();
        let mut place: BTreeMap<String, usize> = BTreeMap::new();
        let mut second_import = None;
        for line in text.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields[..] {
                // A server that forks has one hook a process; the first is the one launched.
                ["interpreter", executable, prefix, dont_write, optimize, tag] => {
                    let dont_write = dont_write == "1";
                    interpreter.get_or_insert((executable, prefix, dont_write, optimize, tag));
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
                    modules.push(module(name, path, origins, code, None));
                    paths.push(PathBuf::from(path));
                }
                ["before", name, path, state] => {
                    let (code, write) = match state {
                        "written" => ("compiled", Some("written")),
                        "compiled" => ("compiled", None),
                        _ => ("read", None),
                    };
                    modules.push(module(name, path, origins, code, write));
                    paths.push(PathBuf::from(path));
                }
                ["spent", name, nanos, lines] => {
                    if let Some(&index) = place.get(name) {
                        let nanos: Option<u64> = nanos.parse().ok();
                        modules[index].compile_ms = nanos.map(|nanos| nanos as f64 / 1e6);
                        modules[index].lines = lines.parse().ok();
                    }
                }
                ["again", name, compiled, opened] => {
                    if let (Ok(compiled), Ok(opened)) = (compiled.parse(), opened.parse()) {
                        second_import.get_or_insert(SecondImport {
                            module: name.to_owned(),
                            compiled,
                            opened,
                        });
                    }
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
        let (executable, prefix, dont_write, optimize, cache_tag) =
            interpreter.ok_or("it does not begin with the interpreter")?;
        Ok(Self {
            executable: executable.to_owned(),
            prefix: prefix.to_owned(),
            dont_write,
            optimize: optimize.to_owned(),
            cache_tag: cache_tag.to_owned(),
            second_import,
            command: command.unwrap_or_default(),
            groups: groups.unwrap_or_default(),
            modules,
            paths,
            opened,
        })
    }

    /// The modules with their files.
    pub fn with_paths(&self) -> impl Iterator<Item = (&ModuleReceipt, &Path)> {
        self.modules
            .iter()
            .zip(self.paths.iter().map(PathBuf::as_path))
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

    /// The modules whose pycs one of the launch's processes wrote.
    pub fn names_written(&self) -> Vec<&str> {
        self.names(|m| m.code == "compiled" && m.write.as_deref() == Some("written"))
    }

    pub fn names(&self, which: impl Fn(&ModuleReceipt) -> bool) -> Vec<&str> {
        self.modules
            .iter()
            .filter(|module| which(module))
            .map(|module| module.name.as_str())
            .collect()
    }
}

fn module(
    name: &str,
    path: &str,
    origins: &Origins,
    code: &str,
    write: Option<&str>,
) -> ModuleReceipt {
    ModuleReceipt {
        name: name.to_owned(),
        origin: origins.part(Path::new(path)).word().to_owned(),
        code: code.to_owned(),
        write: write.map(str::to_owned),
        compile_ms: None,
        lines: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hooks_lines_become_modules_with_their_origin() {
        let text = "interpreter\t/usr/bin/python3\t\t0\t1\tcpython-311\n\
                    command\tpython3\t-O\tapp.py\n\
                    before\tos\t/usr/lib/python3.11/os.py\tread\n\
                    module\tapp\t/stage/s00/source/app.py\tcompiled\n\
                    spent\tapp\t2500000\t120\n\
                    write\tapp\tEROFS\n\
                    again\tapp\t0\t0\n\
                    module\tflask\t/v/lib/python3.11/site-packages/flask/__init__.py\tread\n";
        let origins = Origins {
            app: vec!["/stage/s00/source".into()],
            stdlib: "/usr/lib/python3.11".into(),
        };
        let seen = Seen::parse(text, &origins).unwrap();
        assert_eq!((seen.optimize.as_str(), seen.command.len()), ("1", 3));
        assert_eq!(seen.cache_tag, "cpython-311");
        assert_eq!(seen.second_import.as_ref().unwrap().opened, 0);
        let spent = (seen.modules[1].compile_ms, seen.modules[1].lines);
        assert_eq!(spent, (Some(2.5), Some(120)));
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
        let origins = Origins::default();
        assert!(Seen::parse("", &origins).is_err());
        assert!(Seen::parse("module\tapp\n", &origins).is_err());
    }
}
