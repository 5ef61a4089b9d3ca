//! Who launches the app, and what keeps it from writing.
//!
//! File modes mean nothing to root. So as root the app is launched as an unprivileged user, and
//! read-only folders are read-only mounts besides, each where it can be had. An ordinary user's
//! modes are enough.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::time::Duration;

use nix::unistd::{Uid, User as Account};

use super::StageError;
use super::copy::{CopyError, at};
use super::namespace::Namespace;
use crate::launch::{GRACE, Interrupted, Launcher, Spec, Until, User};
use crate::record::format::Isolation as IsolationRecord;

/// The user of last resort where the system knows no `nobody`.
const NOBODY: u32 = 65534;
/// Reads the folders that are its arguments.
const LIST: &str = "import os, sys\nfor folder in sys.argv[1:]: os.listdir(folder)";
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// User and group of the unprivileged.
fn unprivileged() -> (u32, u32) {
    match Account::from_name("nobody") {
        Ok(Some(account)) => (account.uid.as_raw(), account.gid.as_raw()),
        Ok(None) | Err(_) => (NOBODY, NOBODY),
    }
}

/// What stages hold the app in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holding {
    Layers,
    Copies,
}

/// How conditions are made to hold in this run.
#[derive(Debug)]
pub struct Isolation {
    pub user: User,
    pub namespace: Option<Namespace>,
    /// Why the namespace could not be had.
    pub no_namespace: Option<String>,
    /// Why the app is launched with root's privileges.
    no_unprivileged: Option<String>,
    pub holding: Holding,
    /// Sentences for the record.
    pub notes: Vec<String>,
}

impl Isolation {
    /// Enters a mount namespace, if this process may.
    pub fn begin() -> Self {
        let (namespace, no_namespace) = match Namespace::enter() {
            Ok(namespace) => (Some(namespace), None),
            Err(error) => (
                None,
                Some(format!("a mount namespace cannot be had ({error})")),
            ),
        };
        Self {
            user: User::Current,
            namespace,
            no_namespace,
            no_unprivileged: None,
            holding: Holding::Copies,
            notes: Vec::new(),
        }
    }

    /// As root: lets the unprivileged user into a folder that is for root alone, and nobody else.
    /// Not left to the mode at creation, which the umask would change.
    ///
    /// # Errors
    /// When group or mode cannot be set.
    pub fn admit(&self, folder: &Path) -> Result<(), CopyError> {
        if Uid::effective().is_root() {
            let (_, gid) = unprivileged();
            match chown(folder, None, Some(gid)) {
                // Where root is the only user there is (a user namespace, as rootless containers
                // have it), there is nobody to be let in.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => return Ok(()),
                other => other.map_err(at(folder))?,
            }
            fs::set_permissions(folder, fs::Permissions::from_mode(0o750)).map_err(at(folder))?;
        }
        Ok(())
    }

    /// As root: launches apps as an unprivileged user, if that user can run every interpreter (not
    /// one in root's home, say) from this folder, and read the folders that are to be reached. All
    /// of them or none: who launches is no part of what is compared.
    ///
    /// # Errors
    /// [`Interrupted`].
    pub fn drop_privileges(
        &mut self,
        pythons: &[&Path],
        folder: &Path,
        reached: &[&Path],
        env: &[(OsString, OsString)],
        launcher: &mut dyn Launcher,
    ) -> Result<(), Interrupted> {
        if !Uid::effective().is_root() {
            return Ok(());
        }
        let (uid, gid) = unprivileged();
        let user = User::Unprivileged { uid, gid };
        for python in pythons {
            let spec = Spec {
                program: python.to_path_buf(),
                args: ["-I", "-B", "-c", LIST]
                    .map(OsString::from)
                    .into_iter()
                    .chain(reached.iter().map(Into::into))
                    .collect(),
                env: env.to_vec(),
                folder: folder.to_owned(),
                user,
                group: None,
                until: Until::Exit,
                timeout: PROBE_TIMEOUT,
                grace: GRACE,
            };
            if let Err(failure) = launcher.launch(&spec)?.outcome {
                let reason = failure.to_string();
                let first = reason.lines().next().unwrap_or_default();
                self.no_unprivileged = Some(format!(
                    "user {uid} cannot run {}: {}",
                    python.display(),
                    first.trim_end_matches("; the end of its stderr:")
                ));
                return Ok(());
            }
        }
        self.user = user;
        Ok(())
    }

    /// Can anything be made read-only?
    ///
    /// # Errors
    /// [`StageError::NothingReadOnly`] for root without either way.
    pub fn check(&self) -> Result<(), StageError> {
        match (&self.no_unprivileged, &self.no_namespace) {
            (Some(unprivileged), Some(namespace)) => Err(StageError::NothingReadOnly {
                unprivileged: unprivileged.clone(),
                namespace: namespace.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// For the record.
    pub fn describe(&self) -> IsolationRecord {
        let (identity, uid, modes) = match self.user {
            User::Unprivileged { uid, .. } => ("unprivileged", uid, true),
            User::Current => (
                "current user",
                Uid::effective().as_raw(),
                !Uid::effective().is_root(),
            ),
        };
        let read_only_by = match (self.namespace.is_some(), modes) {
            (true, _) if self.holding == Holding::Layers => "mount",
            (true, true) => "mount and modes",
            (true, false) => "mount",
            (false, _) => "modes",
        };
        IsolationRecord {
            identity: identity.to_owned(),
            uid,
            read_only_by: read_only_by.to_owned(),
            backing: match self.holding {
                Holding::Layers => "overlay",
                Holding::Copies => "copy",
            }
            .to_owned(),
            notes: [&self.no_unprivileged, &self.no_namespace]
                .into_iter()
                .flatten()
                .chain(&self.notes)
                .cloned()
                .collect(),
        }
    }
}
