//! The folders that are the app's own, from the files that its code came from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::InferError;

/// What is known of the folders around an app.
pub struct Places<'a> {
    /// `sys.path`.
    pub entries: &'a BTreeSet<PathBuf>,
    /// Where the command is started.
    pub directory: &'a Path,
    /// Folders that are never one app's alone.
    pub shared: &'a [PathBuf],
}

/// The root, the home folder and the temporary folders: copying one of these would copy everything.
pub fn shared_folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = ["/", "/tmp", "/var/tmp", "/home"].map(Into::into).to_vec();
    folders.push(std::env::temp_dir());
    folders.extend(std::env::var_os("HOME").map(PathBuf::from));
    folders
}

impl Places<'_> {
    /// The fewest folders that hold all of these files: for each the nearest that is on `sys.path`
    /// or the working directory, without those that lie in another. The working directory comes
    /// first, if it is one of them, then they stand in the order of the files.
    ///
    /// # Errors
    /// When a file lies directly in a folder that everybody shares.
    pub fn roots(&self, files: &[PathBuf]) -> Result<Vec<PathBuf>, InferError> {
        let mut roots: Vec<PathBuf> = Vec::new();
        for file in files {
            let root = self.root(file)?;
            if !roots.iter().any(|known| root.starts_with(known)) {
                roots.retain(|known| !known.starts_with(&root));
                roots.push(root);
            }
        }
        roots.sort_by_key(|root| root != self.directory);
        Ok(roots)
    }

    /// The working directory in place of what lies in it: for a command that names files there by
    /// their relative paths, which must be found in the private copy.
    pub fn widened(&self, mut roots: Vec<PathBuf>) -> Vec<PathBuf> {
        let holds_one = roots.iter().any(|root| root.starts_with(self.directory));
        if holds_one && !self.is_shared(self.directory) {
            roots.retain(|root| !root.starts_with(self.directory));
            roots.insert(0, self.directory.to_owned());
        }
        roots
    }

    fn root(&self, file: &Path) -> Result<PathBuf, InferError> {
        let nearest = file
            .ancestors()
            .skip(1)
            .find(|folder| *folder == self.directory || self.entries.contains(*folder));
        if let Some(folder) = nearest.filter(|folder| !self.is_shared(folder)) {
            return Ok(folder.to_owned());
        }
        // Found by an import hook, as editable installs may be: the folder that holds the package.
        let own = file.parent().unwrap_or(file);
        let mut folder = own;
        while folder.join("__init__.py").is_file() {
            match folder.parent() {
                Some(parent) => folder = parent,
                None => break,
            }
        }
        [folder, own]
            .into_iter()
            .find(|folder| !self.is_shared(folder))
            .map(Path::to_owned)
            .ok_or_else(|| InferError::Shared {
                file: file.to_owned(),
                folder: own.to_owned(),
            })
    }

    fn is_shared(&self, folder: &Path) -> bool {
        self.shared.iter().any(|shared| shared == folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(files: &[&str], entries: &[&str], directory: &str) -> Vec<String> {
        let entries = entries.iter().map(PathBuf::from).collect();
        let shared = ["/", "/home/me"].map(PathBuf::from);
        let places = Places {
            entries: &entries,
            directory: Path::new(directory),
            shared: &shared,
        };
        let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
        let found = places.roots(&files).unwrap();
        found
            .iter()
            .map(|root| root.display().to_string())
            .collect()
    }

    #[test]
    fn each_file_belongs_to_the_nearest_folder_on_the_path() {
        let files = [
            "/p/src/app/main.py",
            "/p/src/app/sub/x.py",
            "/lib/shared/y.py",
        ];
        assert_eq!(
            roots(&files, &["/p/src", "/lib"], "/elsewhere"),
            ["/p/src", "/lib"]
        );
    }

    #[test]
    fn a_folder_swallows_what_lies_in_it_and_the_working_directory_comes_first() {
        let files = ["/lib/y.py", "/p/src/x.py", "/p/run.py"];
        assert_eq!(roots(&files, &["/lib", "/p/src"], "/p"), ["/p", "/lib"]);
    }

    #[test]
    fn a_home_folder_is_never_taken_whole() {
        let files = ["/home/me/pkg/x.py"];
        assert_eq!(roots(&files, &["/home/me"], "/home/me"), ["/home/me/pkg"]);
        let places = Places {
            entries: &BTreeSet::new(),
            directory: Path::new("/home/me"),
            shared: &["/home/me".into()],
        };
        let error = places.roots(&["/home/me/x.py".into()]).unwrap_err();
        assert!(error.to_string().contains("a folder of its own"), "{error}");
        assert_eq!(
            places.widened(vec!["/home/me/pkg".into()]),
            [Path::new("/home/me/pkg")]
        );
    }

    #[test]
    fn the_working_directory_takes_the_place_of_what_lies_in_it() {
        let places = Places {
            entries: &BTreeSet::new(),
            directory: Path::new("/p"),
            shared: &[],
        };
        let roots = vec!["/p/src".into(), "/lib".into()];
        assert_eq!(places.widened(roots), [Path::new("/p"), Path::new("/lib")]);
        let elsewhere = vec![PathBuf::from("/lib")];
        assert_eq!(places.widened(elsewhere.clone()), elsewhere);
    }
}
