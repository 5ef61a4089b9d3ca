//! Who a service runs as, and what file modes let that user write.

use std::path::{Path, PathBuf};

use super::access::Permissions;
use super::host::Account;
use super::lines::Directive;
use super::parse::Unit;

/// The user of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceUser {
    /// No `User=`, or root: modes forbid nothing.
    Root,
    /// An account of this machine.
    Account {
        account: Account,
        /// All groups: `Group=` or the account's own, `SupplementaryGroups=`, the account's others.
        groups: Vec<u32>,
        directive: Directive,
    },
    /// `DynamicUser=`: a user that owns nothing but the service's own folders.
    Dynamic { directive: Directive },
    /// An account that this machine does not have.
    Unknown { name: String, directive: Directive },
}

/// What the modes of a folder say about writing into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Modes {
    Allow,
    Forbid {
        /// The folder that was looked at: the one that was asked for, or the nearest that exists.
        folder: PathBuf,
        /// The lower twelve bits.
        mode: u32,
        owner: u32,
    },
    /// The user, or the folder, is not known here.
    Unknown,
}

impl Unit {
    /// Who the service runs as.
    pub fn user(&self) -> ServiceUser {
        let dynamic = self.on("DynamicUser");
        let Some(user) = self.value("User") else {
            return match dynamic {
                Some(directive) => ServiceUser::Dynamic {
                    directive: directive.clone(),
                },
                None => ServiceUser::Root,
            };
        };
        let directive = user.directive;
        match (Account::find(&user.text), dynamic) {
            (Some(account), _) if account.uid == 0 => ServiceUser::Root,
            (Some(account), _) => {
                let mut groups = account.groups();
                let named = self.value("Group").into_iter();
                let named = named.chain(self.list("SupplementaryGroups"));
                groups.extend(named.filter_map(|item| Account::group_number(&item.text)));
                ServiceUser::Account {
                    account,
                    groups,
                    directive,
                }
            }
            // A dynamic user of that name is made where there is none.
            (None, Some(dynamic)) => ServiceUser::Dynamic {
                directive: dynamic.clone(),
            },
            (None, None) => ServiceUser::Unknown {
                name: user.text,
                directive,
            },
        }
    }
}

impl ServiceUser {
    /// May this user write into a folder, by its owner, its group, its mode and its access list?
    pub fn may_write(&self, folder: &Path) -> Modes {
        let (uid, groups) = match self {
            Self::Root => return Modes::Allow,
            Self::Account {
                account, groups, ..
            } => (Some(account.uid), groups.as_slice()),
            Self::Dynamic { .. } => (None, &[][..]),
            Self::Unknown { .. } => return Modes::Unknown,
        };
        let nearest = folder
            .ancestors()
            .find_map(|path| Some((path, Permissions::at(path)?)));
        let Some((path, found)) = nearest else {
            return Modes::Unknown;
        };
        // To make a file in a folder one must be let in, too.
        if found.allow(uid, groups, 0o3) {
            Modes::Allow
        } else {
            Modes::Forbid {
                folder: path.to_owned(),
                mode: found.mode,
                owner: found.owner,
            }
        }
    }

    /// The user, as sentences name it.
    pub fn name(&self) -> &str {
        match self {
            Self::Root => "root",
            Self::Account { account, .. } => &account.name,
            Self::Dynamic { .. } => "the dynamic user",
            Self::Unknown { name, .. } => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::unit::Host;

    fn user(text: &str) -> ServiceUser {
        let text = format!("[Service]\n{text}");
        Unit::from_text(Path::new("app.service"), &text, Host::observe())
            .unwrap()
            .user()
    }

    #[test]
    fn modes_count_for_the_others_unless_the_user_owns_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let dynamic = user("DynamicUser=yes\nUser=no-such-account");
        for (mode, allowed) in [(0o755, false), (0o757, true), (0o756, false)] {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            let modes = dynamic.may_write(&folder.path().join("not/there"));
            assert_eq!(modes == Modes::Allow, allowed, "{mode:o}: {modes:?}");
        }
    }

    #[test]
    fn an_account_that_is_not_here_is_not_guessed_at() {
        let user = user("User=no-such-account");
        assert_eq!(user.name(), "no-such-account");
        assert_eq!(user.may_write(Path::new("/")), Modes::Unknown);
        assert_eq!(super::tests::user("User=0"), ServiceUser::Root);
    }

    #[test]
    fn an_access_control_list_counts_for_a_service() {
        let Some(account) = Account::find("nobody") else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let list = |bits: u8| {
            let [a, b, c, d] = account.uid.to_le_bytes();
            let mut list = 2_u32.to_le_bytes().to_vec();
            for (tag, bits, id) in [
                (0x01, 7, [255; 4]),
                (0x02, bits, [a, b, c, d]),
                (0x04, 5, [255; 4]),
                (0x10, 7, [255; 4]),
                (0x20, 5, [255; 4]),
            ] {
                list.extend([tag, 0, bits, 0]);
                list.extend(id);
            }
            list
        };
        let set = |bits| {
            let flags = rustix::fs::XattrFlags::empty();
            let name = "system.posix_acl_access";
            rustix::fs::setxattr(folder.path(), name, &list(bits), flags)
        };
        if set(7) == Err(rustix::io::Errno::OPNOTSUPP) {
            return;
        }
        let nobody = user("User=nobody");
        assert_eq!(nobody.may_write(folder.path()), Modes::Allow);
        set(5).unwrap();
        assert_ne!(nobody.may_write(folder.path()), Modes::Allow);
    }
}
