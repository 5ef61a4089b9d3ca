//! What of a unit bears on how the app starts and cannot be said in a suite.

use std::path::Path;

use super::command::{ExecCommand, ExecPrefix};
use super::environment::{DIRECTORIES, ServiceEnvironment};
use super::lines::Directive;
use super::parse::Unit;
use super::user::ServiceUser;

/// Keys of the sandbox that decide about the source and the prefix, and about nothing else here.
const MOUNTS: [&str; 11] = [
    "ProtectSystem",
    "ProtectHome",
    "PrivateTmp",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "InaccessiblePaths",
    "TemporaryFileSystem",
    "BindPaths",
    "BindReadOnlyPaths",
    "NoExecPaths",
    "ExecPaths",
];

const LIMIT: &str = "a start under this limit may take longer; launches have none";
const SANDBOX: &str = "this part of the sandbox is not there during launches";
const ROOT: &str = "launches use this machine's file system, and so may find other packages";
const BEFORE: &str = "it is not executed before a launch";
const CREDENTIAL: &str = "there is no folder of credentials for the app to read";
const STREAM: &str = "standard input and output of a launch are /dev/null";

/// Keys, or beginnings of keys where they end in `*`, and why a suite cannot say them.
const REASONS: [(&str, &str); 55] = [
    (
        "CPUQuota",
        "a start under this limit may take longer; launches have none, unless a suite of your own \
         gives its scenarios the key `cpu`",
    ),
    ("CPUWeight", LIMIT),
    ("StartupCPUWeight", LIMIT),
    ("CPUAffinity", LIMIT),
    ("CPUSchedulingPolicy", LIMIT),
    ("CPUSchedulingPriority", LIMIT),
    ("AllowedCPUs", LIMIT),
    ("Nice", LIMIT),
    ("IOWeight", LIMIT),
    ("IOSchedulingClass", LIMIT),
    ("IOReadBandwidthMax", LIMIT),
    ("IOWriteBandwidthMax", LIMIT),
    ("MemoryHigh", LIMIT),
    ("MemoryMax", LIMIT),
    ("MemoryLimit", LIMIT),
    ("MemorySwapMax", LIMIT),
    ("TasksMax", LIMIT),
    ("Slice", LIMIT),
    (
        "LimitFSIZE",
        "bytecode files that exceed it would be cut off; launches have no such limit",
    ),
    ("Limit*", "launches have coldsnake's own limit"),
    ("RootDirectory", ROOT),
    ("RootImage", ROOT),
    ("ExecStartPre", BEFORE),
    ("ExecCondition", BEFORE),
    ("LoadCredential", CREDENTIAL),
    ("LoadCredentialEncrypted", CREDENTIAL),
    ("SetCredential", CREDENTIAL),
    ("StandardInput", STREAM),
    ("Sockets", "no socket is passed to a launch"),
    (
        "UMask",
        "bytecode is written under coldsnake's own umask; other users may be able to read it here",
    ),
    ("Restrict*", SANDBOX),
    ("SystemCall*", SANDBOX),
    ("MemoryDenyWriteExecute", SANDBOX),
    ("NoNewPrivileges", SANDBOX),
    ("CapabilityBoundingSet", SANDBOX),
    ("AmbientCapabilities", SANDBOX),
    ("SecureBits", SANDBOX),
    ("PrivateNetwork", SANDBOX),
    ("PrivateDevices", SANDBOX),
    ("PrivateUsers", SANDBOX),
    ("PrivateMounts", SANDBOX),
    ("PrivateIPC", SANDBOX),
    ("PrivatePIDs", SANDBOX),
    ("IPAddressDeny", SANDBOX),
    ("IPAddressAllow", SANDBOX),
    ("ProtectKernel*", SANDBOX),
    ("ProtectControlGroups", SANDBOX),
    ("ProtectClock", SANDBOX),
    ("ProtectHostname", SANDBOX),
    ("ProtectProc", SANDBOX),
    ("ProcSubset", SANDBOX),
    ("LockPersonality", SANDBOX),
    ("KeyringMode", SANDBOX),
    ("DevicePolicy", SANDBOX),
    ("NetworkNamespacePath", SANDBOX),
];

/// Keys of which every assignment counts, and not the last alone; `*` as above.
const LISTS: [&str; 20] = [
    "AmbientCapabilities",
    "BindPaths",
    "BindReadOnlyPaths",
    "CPUAffinity",
    "CapabilityBoundingSet",
    "Exec*",
    "IOReadBandwidthMax",
    "IOWriteBandwidthMax",
    "IPAddress*",
    "InaccessiblePaths",
    "LoadCredential*",
    "NoExecPaths",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "Restrict*",
    "SetCredential",
    "Sockets",
    "SupplementaryGroups",
    "SystemCall*",
    "TemporaryFileSystem",
];

/// Is this the key, or does it begin like one that ends in `*`?
fn fits(pattern: &str, key: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => key == pattern,
    }
}

impl Unit {
    /// The assignments of a key that count: the last one, or of a list all. What a later one takes
    /// back is not among them.
    fn counting(&self, key: &str) -> Vec<&Directive> {
        if LISTS.iter().any(|list| fits(list, key)) {
            self.all(key)
        } else {
            self.last(key).into_iter().collect()
        }
    }

    /// A sentence for each thing that a suite cannot say, with file and line.
    pub(super) fn unhonoured(
        &self,
        environment: &ServiceEnvironment,
        command: &ExecCommand,
        commands: usize,
    ) -> Vec<String> {
        let mut said = Vec::new();
        said.extend(self.about_user());
        let mounts = MOUNTS.iter().flat_map(|key| self.counting(key));
        let mounts: Vec<String> = mounts.map(Directive::named).collect();
        if !mounts.is_empty() {
            said.push(format!(
                "{}: taken over only as to whether source and prefix can be written; what else the \
                 app opens is as on this machine",
                mounts.join(", ")
            ));
        }
        said.extend(self.about_reasons());
        for (key, variable, root) in DIRECTORIES {
            for (path, directive) in self.directories(key, root) {
                if !self.host.file(&path).is_dir() {
                    said.push(format!(
                        "{}: {variable} is set, but {} is not made for a launch",
                        directive.named(),
                        path.display()
                    ));
                }
            }
        }
        said.extend(self.about_environment(environment));
        said.extend(about_command(command, commands));
        let ignored = self.ignored.iter().chain(&environment.ignored);
        said.extend(ignored.map(|ignored| format!("{}: {}", ignored.place, ignored.reason)));
        said
    }

    fn about_user(&self) -> Option<String> {
        let launched = "launches run as an unprivileged user if coldsnake runs as root, else as the \
                        user who runs it";
        let with_groups = |user: &Directive| {
            let groups = ["Group", "SupplementaryGroups"];
            let groups = groups.iter().flat_map(|key| self.counting(key));
            let named: Vec<String> = [user]
                .into_iter()
                .chain(groups)
                .map(Directive::named)
                .collect();
            named.join(", ")
        };
        Some(match self.user() {
            ServiceUser::Root => format!("the service runs as root; {launched}"),
            ServiceUser::Account { directive, .. } | ServiceUser::Dynamic { directive } => {
                format!(
                    "{}: {launched}; what the service's user may write is judged by modes",
                    with_groups(&directive)
                )
            }
            ServiceUser::Unknown { name, directive } => format!(
                "{}: there is no user {name} on this machine, so modes say nothing about what it \
                 may write; {launched}",
                with_groups(&directive)
            ),
        })
    }

    fn about_reasons(&self) -> Vec<String> {
        let mut said = Vec::new();
        for directive in self.service().filter(|d| !d.value.is_empty()) {
            let found = REASONS.iter().find(|(key, _)| fits(key, &directive.key));
            if let Some((_, reason)) = found
                && self.counting(&directive.key).contains(&directive)
            {
                said.push(format!("{}: {reason}", directive.named()));
            }
        }
        said
    }

    fn about_environment(&self, environment: &ServiceEnvironment) -> Vec<String> {
        let absent = environment.absent_files.iter().map(|absent| {
            format!(
                "{}: there is no {} here, so its variables are missing; systemd would not start the \
                 service without it",
                absent.directive.named(),
                absent.path.display()
            )
        });
        let passed = environment.passed.iter().map(|(name, directive)| {
            format!(
                "{}: {name} is known to systemd alone, and is not set",
                directive.named()
            )
        });
        absent.chain(passed).collect()
    }
}

fn about_command(command: &ExecCommand, commands: usize) -> Vec<String> {
    let mut said = Vec::new();
    let place = &command.directive.place;
    if commands > 1 {
        said.push(format!(
            "ExecStart= ({place}): of {commands} commands only this one is measured: {}",
            command.words.join(" ")
        ));
    }
    for prefix in &command.prefixes {
        let reason = match prefix {
            ExecPrefix::Argv0 => "its `@` gives the program another argv[0], which a launch lacks",
            ExecPrefix::IgnoreFailure => {
                "its `-` lets a failure count as success; a launch that fails counts as failed"
            }
            ExecPrefix::FullPrivileges => {
                "its `+` puts it outside of user and sandbox; a launch has no more privileges for that"
            }
            ExecPrefix::Privileged => "its `!` keeps privileges that a launch does not have",
            ExecPrefix::Shell => "its `|` runs it through a shell; a launch has none",
            // Done.
            ExecPrefix::NoVariables => continue,
        };
        said.push(format!("ExecStart= ({place}): {reason}"));
    }
    let shell = ["sh", "bash", "dash"].contains(&super::program::base_name(&command.words[0]));
    if shell {
        said.push(format!(
            "ExecStart= ({place}): what the shell starts cannot be seen; put the Python command into \
             ExecStart= for scenarios of its interpreter"
        ));
    }
    said
}

/// Is a socket of the same name beside the unit?
pub(super) fn socket_beside(unit: &Unit) -> Option<String> {
    let socket = unit.path.with_extension("socket");
    let found = Path::new(&socket).is_file();
    found.then(|| {
        format!(
            "{}: systemd passes this socket to the service; a launch has to listen itself",
            socket.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Host;

    #[test]
    fn only_assignments_that_count_are_spoken_of() {
        let text = "[Service]\nUser=root\nUser=no-such-account\nGroup=a\nGroup=b\nUMask=0077\n\
                    UMask=0027\nProtectSystem=full\nProtectSystem=strict\nExecStartPre=/bin/a\n\
                    ExecStartPre=/bin/b\nNice=1\nNice=\nExecStart=/bin/c\n";
        let unit = Unit::from_text(Path::new("app.service"), text, Host::observe()).unwrap();
        let environment = unit.environment().unwrap();
        let commands = unit.commands(&environment).unwrap();
        let said = unit.unhonoured(&environment, &commands[0], 1).join("\n");
        for named in [
            "User=no-such-account (app.service:3), Group=b (app.service:5): ",
            "UMask=0027 (app.service:7): ",
            "ProtectSystem=strict (app.service:9): ",
            "ExecStartPre=/bin/a (app.service:10): ",
            "ExecStartPre=/bin/b (app.service:11): ",
        ] {
            assert!(said.contains(named), "no {named:?} in:\n{said}");
        }
        for taken_back in ["Group=a", "UMask=0077", "ProtectSystem=full", "Nice"] {
            assert!(!said.contains(taken_back), "{taken_back:?} in:\n{said}");
        }
    }
}
