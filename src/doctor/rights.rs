//! Whose rights count, and what modes and access control lists let that user do.

use nix::unistd::{Gid, Uid, getgroups};

use crate::unit::{Account, Permissions, ServiceUser};

/// What is to be done with a file or a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    Read,
    /// To go through a folder.
    Enter,
    /// To make a file in a folder.
    WriteInto,
}

/// Whose rights count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    name: String,
    who: Who,
    of: Of,
}

/// Is it this process whose rights count? Then the kernel can be asked, who knows of more than modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    ThisProcess,
    Another,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    /// Modes forbid nothing.
    Root,
    /// By owner, groups, mode and access control list.
    User { uid: Option<u32>, groups: Vec<u32> },
    /// An account that is not known here: nothing can be said.
    Unknown,
}

/// What modes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    Yes,
    No,
    Unknown,
}

impl Rights {
    /// The user that this process runs as.
    pub fn mine() -> Self {
        let uid = Uid::effective();
        let groups = getgroups().unwrap_or_default();
        let groups = groups.into_iter().chain([Gid::effective()]);
        Self {
            of: Of::ThisProcess,
            ..Self::of_ids(uid.as_raw(), groups.map(Gid::as_raw).collect())
        }
    }

    /// A user and groups by their numbers.
    pub fn of_ids(uid: u32, groups: Vec<u32>) -> Self {
        Self {
            name: user_name(uid),
            who: if uid == 0 {
                Who::Root
            } else {
                Who::User {
                    uid: Some(uid),
                    groups,
                }
            },
            of: Of::Another,
        }
    }

    /// A user by name or number; a number need not have an account. `None` for a name that this
    /// machine does not know.
    pub fn of_user(user: &str) -> Option<Self> {
        match (Account::find(user), user.parse()) {
            (Some(account), _) => {
                let groups = account.groups();
                Some(Self::of_ids(account.uid, groups))
            }
            (None, Ok(uid)) => Some(Self::of_ids(uid, vec![uid])),
            (None, Err(_)) => None,
        }
    }

    /// The user of a service.
    pub fn of_service(user: &ServiceUser) -> Self {
        let who = match user {
            ServiceUser::Root => Who::Root,
            ServiceUser::Account {
                account, groups, ..
            } => Who::User {
                uid: Some(account.uid),
                groups: groups.clone(),
            },
            ServiceUser::Dynamic { .. } => Who::User {
                uid: None,
                groups: Vec::new(),
            },
            ServiceUser::Unknown { .. } => Who::Unknown,
        };
        Self {
            name: user.name().to_owned(),
            who,
            of: Of::Another,
        }
    }

    /// The user, as sentences name it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user as chown(1) takes it; none for one that is made when the service starts.
    pub fn for_chown(&self) -> Option<String> {
        match &self.who {
            Who::Root | Who::Unknown => Some(self.name.clone()),
            Who::User { uid, .. } => uid.map(|uid| match Account::find(&uid.to_string()) {
                Some(account) => account.name,
                None => uid.to_string(),
            }),
        }
    }

    pub fn is_root(&self) -> bool {
        self.who == Who::Root
    }

    /// Can the kernel be asked in place of looking at modes?
    pub fn are_mine(&self) -> bool {
        self.of == Of::ThisProcess
    }

    /// Is nothing known of this user's rights?
    pub fn are_unknown(&self) -> bool {
        self.who == Who::Unknown
    }

    /// Does this user own what that user owns?
    pub fn owns(&self, owner: u32) -> bool {
        match &self.who {
            Who::Root => owner == 0,
            Who::User { uid, .. } => *uid == Some(owner),
            Who::Unknown => false,
        }
    }

    /// May the user do this, by owner, group, mode and access control list?
    pub fn may(&self, file: &Permissions, want: Want) -> May {
        let needed = match want {
            Want::Read => 0o4,
            Want::Enter => 0o1,
            Want::WriteInto => 0o3,
        };
        match &self.who {
            Who::Root => May::Yes,
            Who::Unknown => May::Unknown,
            Who::User { uid, groups } if file.allow(*uid, groups, needed) => May::Yes,
            Who::User { .. } => May::No,
        }
    }
}

/// A user's name, or the number of one without an account.
pub fn user_name(uid: u32) -> String {
    match Account::find(&uid.to_string()) {
        Some(account) => account.name,
        None => format!("uid {uid}"),
    }
}
