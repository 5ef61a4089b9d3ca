//! Where this process finds what the app knows by another path: in another mount namespace, or in a
//! checkout that stands for the installed app.

use std::path::{Path, PathBuf};

/// Paths as the app knows them, and as this process does.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Each with what stands for it here.
    elsewhere: Vec<(PathBuf, PathBuf)>,
    /// Folders whose owners, modes and mounts are not the app's.
    stand_ins: Vec<PathBuf>,
}

impl View {
    /// What another process sees below its root.
    pub fn of_process(root: &Path) -> Self {
        Self {
            elsewhere: vec![("/".into(), root.to_owned())],
            stand_ins: Vec::new(),
        }
    }

    /// A folder that is not here, and another that stands for it.
    pub fn standing_in(app: &Path, here: &Path) -> Self {
        Self {
            elsewhere: vec![(app.to_owned(), here.to_owned())],
            stand_ins: vec![app.to_owned()],
        }
    }

    /// Where a path of the app's is found here.
    pub fn here(&self, path: &Path) -> PathBuf {
        for (app, here) in &self.elsewhere {
            if let Ok(rest) = path.strip_prefix(app) {
                // Joining nothing would add a slash.
                return if rest.as_os_str().is_empty() {
                    here.clone()
                } else {
                    here.join(rest)
                };
            }
        }
        path.to_owned()
    }

    /// Is every path the same here?
    pub fn is_plain(&self) -> bool {
        self.elsewhere.is_empty()
    }

    /// Do owners, modes and mounts count that are found here?
    pub fn is_itself(&self, path: &Path) -> bool {
        !self.stand_ins.iter().any(|folder| path.starts_with(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_below_what_stands_for_it() {
        let view = View::of_process(Path::new("/proc/7/root"));
        assert_eq!(
            view.here(Path::new("/opt/x")),
            Path::new("/proc/7/root/opt/x")
        );
        let view = View::standing_in(Path::new("/opt/shop"), Path::new("/checkout"));
        assert_eq!(view.here(Path::new("/opt/shop")), Path::new("/checkout"));
        assert_eq!(
            view.here(Path::new("/opt/shop/a")),
            Path::new("/checkout/a")
        );
        assert_eq!(view.here(Path::new("/opt/other")), Path::new("/opt/other"));
        assert!(!view.is_itself(Path::new("/opt/shop/a")));
        assert!(view.is_itself(Path::new("/opt/other")));
    }
}
