//! A private installation of an interpreter, for stages that are copies: its program beside a copy of
//! its standard library, and links to all else that lies in the same prefix.
//!
//! CPython finds its standard library from where its program lies (Modules/getpath.c up to 3.10,
//! Modules/getpath.py from 3.11): from the folder of the program, links in its path resolved, it goes
//! up until `lib/python3.X/os.py` is there; in a virtual environment it begins at the `home` that
//! `pyvenv.cfg` names, or where the environment's link leads to. So a copy of the program in a folder
//! of ours finds ours. PYTHONHOME would do the same, but children inherit it, and `-I` and `-E` do
//! not look at it. Whether it came about, and nothing else changed, the interpreter is asked
//! ([`Bearings`]).

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::copy::{CopyBytecode, CopyError, at, copy_file, is_bytecode};
use crate::python::environment::CallerEnvironment;
use crate::python::{Bearings, Moved, PythonError, is_package_folder, venv_interpreter};

/// Shared libraries that are modules; no bytecode is written here.
const EXTENSIONS: &str = "lib-dynload";
/// Folders whose modules no app loads as a rule, and which are larger than all others together. They
/// are made of links to the user's files: should one be loaded, its bytecode lands in our folder.
const SELDOM_LOADED: [&str; 4] = ["test", "tests", "idlelib", "turtledemo"];
const CACHE: &str = "__pycache__";
/// Marks a virtual environment, and says where its interpreter comes from (PEP 405).
const VENV_FILE: &str = "pyvenv.cfg";
/// Folders in folders: links may lead around in a circle.
const DEEPEST: usize = 10;

/// An interpreter whose standard library is a copy.
#[derive(Debug)]
pub(super) struct Installation {
    pub python: PathBuf,
    pub stdlib: PathBuf,
    /// The user's, by the path that its modules have.
    pub original: PathBuf,
}

/// Why there can be no private installation.
#[derive(Debug, Error)]
pub(super) enum NoInstallation {
    #[error(transparent)]
    Files(#[from] CopyError),
    #[error(transparent)]
    Python(#[from] PythonError),
    /// A clause that says what is not as it has to be.
    #[error("{0}")]
    Differs(String),
}

/// The virtual environment that a stage's interpreter belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Environment<'a> {
    /// The user's.
    pub original: &'a Path,
    /// The stage's, as far as it has been copied; else it becomes one of links.
    pub private: &'a Path,
}

/// Installs the interpreter `python` below `folder`, which must not exist.
///
/// # Errors
/// When a file cannot be read or written, or what was installed is no twin of the user's but for its
/// standard library.
pub(super) fn install(
    python: &Path,
    environment: Option<Environment<'_>>,
    folder: &Path,
    bytecode: CopyBytecode,
    caller: &CallerEnvironment,
) -> Result<Installation, NoInstallation> {
    let real = Bearings::ask(python, caller)?;
    let base = &real.base_prefix;
    let Ok(inside) = real.stdlib.strip_prefix(base) else {
        return Err(NoInstallation::Differs(format!(
            "its standard library in {} does not lie below its prefix {}",
            real.stdlib.display(),
            base.display()
        )));
    };
    // A wrapper that passes on its own path is as good as a program.
    let program = fs::canonicalize(python).map_err(at(python))?;
    let folder_of_program = folder_in(&program, base);
    let name = program.file_name().unwrap_or_default();
    let (own_program, stdlib) = (
        folder.join(&folder_of_program).join(name),
        folder.join(inside),
    );
    let own = [inside.to_owned(), folder_of_program.join(name)];
    link_all(base, folder, &own)?;
    fs::copy(&program, &own_program).map_err(at(&program))?;
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&own_program, executable).map_err(at(&own_program))?;
    lead_to(&own_program, &program)?;
    copy_library(&real.stdlib, &stdlib, bytecode, Sources::Copied, 0)?;

    let mut moved = vec![Moved {
        from: base,
        to: folder,
    }];
    let python = match environment {
        Some(environment) => {
            adopt(environment, &program, &own_program)?;
            moved.push(Moved {
                from: environment.original,
                to: environment.private,
            });
            let beside = environment.private.join("bin");
            python
                .file_name()
                .map(|name| beside.join(name))
                .filter(|path| path.exists())
                .unwrap_or_else(|| venv_interpreter(environment.private))
        }
        // By the name that it was called by, if it has that here.
        None => python
            .file_name()
            .map(|name| own_program.with_file_name(name))
            .filter(|path| fs::canonicalize(path).is_ok_and(|path| path == own_program))
            .unwrap_or_else(|| own_program.clone()),
    };
    Bearings::ask(&python, caller)
        .map_err(|error| error.to_string())
        .and_then(|private| real.differ_by_stdlib(&private, &stdlib, &moved))
        .map_err(NoInstallation::Differs)?;
    Ok(Installation {
        python,
        stdlib,
        original: real.stdlib,
    })
}

/// Where a program lies in the installation; one that lies elsewhere gets the usual place.
fn folder_in(program: &Path, base: &Path) -> PathBuf {
    let base = fs::canonicalize(base).unwrap_or_else(|_| base.to_owned());
    program
        .parent()
        .and_then(|folder| folder.strip_prefix(base).ok())
        .unwrap_or(Path::new("bin"))
        .to_owned()
}

/// Makes `to` look like `from`, by links; what is at the paths `own` below it, and the folders that
/// these lie in, become folders of ours.
fn link_all(from: &Path, to: &Path, own: &[PathBuf]) -> Result<(), CopyError> {
    fs::create_dir_all(to).map_err(at(to))?;
    let below = |name: &OsStr| -> Vec<PathBuf> {
        own.iter()
            .filter_map(|path| path.strip_prefix(name).ok().map(Path::to_owned))
            .collect()
    };
    let mut made = Vec::new();
    if from.is_dir() {
        for entry in fs::read_dir(from).map_err(at(from))? {
            let name = entry.map_err(at(from))?.file_name();
            let inside = below(&name);
            if inside.is_empty() {
                let link = to.join(&name);
                symlink(from.join(&name), &link).map_err(at(&link))?;
            } else if inside.iter().all(|path| !path.as_os_str().is_empty()) {
                link_all(&from.join(&name), &to.join(&name), &inside)?;
            }
            made.push(name);
        }
    }
    // Of a program that lies elsewhere, the folder may not be there.
    for path in own {
        let mut parts = path.iter();
        if let (Some(first), Some(_)) = (parts.next(), parts.next())
            && !made.iter().any(|name| name == first)
        {
            let folder = to.join(first);
            fs::create_dir_all(&folder).map_err(at(&folder))?;
        }
    }
    Ok(())
}

/// Has all names of a program that lie beside our own lead to our own.
fn lead_to(own: &Path, program: &Path) -> Result<(), CopyError> {
    let (Some(folder), Some(name)) = (own.parent(), own.file_name()) else {
        return Ok(());
    };
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path.is_symlink() && fs::canonicalize(&path).is_ok_and(|end| end == program) {
            fs::remove_file(&path).map_err(at(&path))?;
            symlink(name, &path).map_err(at(&path))?;
        }
    }
    Ok(())
}

/// Has a virtual environment belong to our own program.
fn adopt(
    environment: Environment<'_>,
    program: &Path,
    own_program: &Path,
) -> Result<(), CopyError> {
    let Environment { original, private } = environment;
    let (theirs, ours) = (original.join("bin"), private.join("bin"));
    if !private.exists() {
        let own = [PathBuf::from(VENV_FILE), Path::new("bin").join("python")];
        link_all(original, private, &own)?;
    }
    let file = original.join(VENV_FILE);
    let text = fs::read_to_string(&file).map_err(at(&file))?;
    let home = own_program.parent().unwrap_or(own_program);
    let own_file = private.join(VENV_FILE);
    fs::write(&own_file, with_home(&text, home)).map_err(at(&own_file))?;
    for entry in fs::read_dir(&theirs).map_err(at(&theirs))? {
        let entry = entry.map_err(at(&theirs))?;
        // Up to 3.10 it is the link that counts, from 3.11 the file.
        let is_program = fs::canonicalize(entry.path()).is_ok_and(|end| end == program);
        if is_program || is_interpreters_name(&entry.file_name()) {
            let link = ours.join(entry.file_name());
            if link.symlink_metadata().is_ok() {
                fs::remove_file(&link).map_err(at(&link))?;
            }
            symlink(own_program, &link).map_err(at(&link))?;
        }
    }
    Ok(())
}

/// `python`, `python3`, `python3.13`: in a virtual environment all of them are its interpreter.
fn is_interpreters_name(name: &OsStr) -> bool {
    let rest = name.to_str().and_then(|name| name.strip_prefix("python"));
    rest.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

/// The text of a `pyvenv.cfg` with another `home`.
fn with_home(text: &str, home: &Path) -> String {
    let is_home = |line: &str| {
        let key = line.split_once('=').map(|(key, _)| key.trim());
        key.is_some_and(|key| key.eq_ignore_ascii_case("home"))
    };
    let lines = text.lines().map(|line| {
        if is_home(line) {
            format!("home = {}\n", home.display())
        } else {
            format!("{line}\n")
        }
    });
    lines.collect()
}

/// How the sources of a standard library get into its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sources {
    /// So that looking at one takes as long as it does for the original.
    Copied,
    Linked,
}

/// Copies a folder of modules. Folders are ours, so that bytecode is written into them; what is
/// neither a module nor bytecode is a link to the user's. What is installed in it, and its shared
/// libraries, are links as a whole.
fn copy_library(
    from: &Path,
    to: &Path,
    bytecode: CopyBytecode,
    sources: Sources,
    depth: usize,
) -> Result<(), CopyError> {
    fs::create_dir(to).map_err(at(to))?;
    for entry in fs::read_dir(from).map_err(at(from))? {
        let entry = entry.map_err(at(from))?;
        let (name, path) = (entry.file_name(), entry.path());
        let target = to.join(&name);
        let is_one_of = |names: &[&str]| names.iter().any(|one| name == *one);
        // Of what a link leads to; one that leads nowhere does so in the copy.
        let (is_folder, is_file) = (path.is_dir(), path.is_file());
        let is = |extension: &str| path.extension().is_some_and(|found| found == extension);
        if is_folder && name == CACHE {
            if bytecode == CopyBytecode::AsFound {
                copy_cache(&path, &target)?;
            }
        } else if is_folder
            && depth < DEEPEST
            && name != EXTENSIONS
            && !is_package_folder(&name)
            && !leads_up(&path)
        {
            let sources = if is_one_of(&SELDOM_LOADED) {
                Sources::Linked
            } else {
                sources
            };
            copy_library(&path, &target, bytecode, sources, depth + 1)?;
        } else if is_file && is("pyc") {
            if bytecode == CopyBytecode::AsFound || !is_bytecode(&path) {
                copy_file(&path, &target)?;
            }
        } else if is_file && is("py") && sources == Sources::Copied {
            copy_file(&path, &target)?;
        } else {
            symlink(&path, &target).map_err(at(&target))?;
        }
    }
    Ok(())
}

/// Is it a link to a folder that it lies in?
fn leads_up(path: &Path) -> bool {
    let end = |path: &Path| fs::canonicalize(path).ok();
    let (Some(parent), Some(end)) = (path.parent().and_then(end), end(path)) else {
        return false;
    };
    path.is_symlink() && parent.starts_with(end)
}

/// Copies the pycs of a folder for bytecode.
fn copy_cache(from: &Path, to: &Path) -> Result<(), CopyError> {
    fs::create_dir(to).map_err(at(to))?;
    for entry in fs::read_dir(from).map_err(at(from))? {
        let path = entry.map_err(at(from))?.path();
        if path.is_file() {
            copy_file(&path, &to.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_prefix_is_links_but_for_what_is_ours() {
        let folder = tempfile::tempdir().unwrap();
        let (base, own) = (folder.path().join("usr"), folder.path().join("base"));
        write(&base.join("bin/python3.11"), "program");
        write(&base.join("bin/tool"), "tool");
        write(&base.join("lib/python3.11/os.py"), "");
        write(&base.join("lib/python3/dist-packages/flask.py"), "");
        symlink("python3.11", base.join("bin/python3")).unwrap();
        let ours = ["lib/python3.11", "bin/python3.11"].map(PathBuf::from);
        link_all(&base, &own, &ours).unwrap();
        assert!(!own.join("lib/python3.11").exists());
        assert!(!own.join("bin/python3.11").exists());
        let end = |path: &str| fs::canonicalize(own.join(path)).unwrap();
        let packages = "lib/python3/dist-packages/flask.py";
        assert_eq!(
            end(packages),
            fs::canonicalize(base.join(packages)).unwrap()
        );
        assert!(own.join("bin/tool").is_symlink() && !own.join("bin").is_symlink());

        let program = fs::canonicalize(base.join("bin/python3.11")).unwrap();
        let own_program = own.join("bin/python3.11");
        fs::copy(&program, &own_program).unwrap();
        lead_to(&own_program, &program).unwrap();
        assert_eq!(end("bin/python3"), fs::canonicalize(&own_program).unwrap());
        assert_ne!(end("bin/tool"), end("bin/python3"));
    }

    #[test]
    fn a_library_is_copied_so_that_nothing_is_written_through_it() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        for file in [
            "os.py",
            "__pycache__/os.cpython-311.pyc",
            "json/decoder.py",
            "test/support.py",
            "test/deep/data.py",
            "lib-dynload/_csv.so",
            "site-packages/flask.py",
            "LICENSE.txt",
        ] {
            write(&from.join(file), "");
        }
        // Around in a circle.
        symlink("..", from.join("json/up")).unwrap();
        copy_library(&from, &to, CopyBytecode::LeftOut, Sources::Copied, 0).unwrap();
        let is_link = |path: &str| to.join(path).is_symlink();
        for ours in ["os.py", "json", "json/decoder.py", "test", "test/deep"] {
            assert!(to.join(ours).exists() && !is_link(ours), "{ours}");
        }
        for link in [
            "test/support.py",
            "test/deep/data.py",
            "lib-dynload",
            "site-packages",
            "LICENSE.txt",
            "json/up",
        ] {
            assert!(to.join(link).exists() && is_link(link), "{link}");
        }
        assert!(!to.join("__pycache__").exists());

        let found = folder.path().join("found");
        copy_library(&from, &found, CopyBytecode::AsFound, Sources::Copied, 0).unwrap();
        let pyc = found.join("__pycache__/os.cpython-311.pyc");
        assert!(pyc.is_file() && !pyc.is_symlink());
    }

    #[test]
    fn the_home_of_an_environment_is_another_and_all_else_stays() {
        let text = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n";
        assert_eq!(
            with_home(text, Path::new("/stage/base/bin")),
            "home = /stage/base/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n"
        );
        let names = [
            "python",
            "python3",
            "python3.13",
            "python3-config",
            "pythonic",
            "pip",
        ];
        let found = names.map(|name| is_interpreters_name(OsStr::new(name)));
        assert_eq!(found, [true, true, true, false, false, false]);
    }
}
