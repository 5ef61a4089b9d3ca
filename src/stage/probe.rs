//! Tries out whether a stage can be written where its scenario says so, and nowhere else.

use std::path::Path;
use std::time::Duration;

use super::StageError;
use super::quota::Group;
use super::scene::Stage;
use crate::launch::{Failure, GRACE, Launcher, Spec, Until};
use crate::python::Part;
use crate::suite::{Prefix, SourceAccess};

const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// Tries to create the file named by its argument, and reports "written" or the errno's name.
const WRITE_PROBE: &str = "import errno, os, sys
try:
    os.close(os.open(sys.argv[1], os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.unlink(sys.argv[1])
    result = 'written'
except OSError as error:
    result = errno.errorcode.get(error.errno, str(error.errno))
os.write(3, result.encode())
";

/// Tries to write where the scenario says that one can or cannot.
///
/// # Errors
/// [`StageError::NotAsAsked`] where it is otherwise.
pub(super) fn probe(stage: &Stage, launcher: &mut dyn Launcher) -> Result<(), StageError> {
    let source_writable = stage.scenario.source == SourceAccess::Writable;
    let apps = stage.trees.iter().filter(|tree| tree.part == Part::App);
    let mut expectations: Vec<(&str, &Path, bool)> = apps
        .map(|tree| ("the app's source", tree.path(), source_writable))
        .collect();
    if stage.scenario.prefix != Prefix::Unset {
        let writable = stage.scenario.prefix != Prefix::Unwritable;
        expectations.push(("the prefix", stage.prefix(), writable));
    }
    for (what, folder, writable) in expectations {
        let spec = Spec {
            program: stage.python.clone(),
            args: vec![
                "-I".into(),
                "-B".into(),
                "-c".into(),
                WRITE_PROBE.into(),
                folder.join("coldsnake-probe").into(),
            ],
            env: stage.passed.clone(),
            folder: stage.directory.clone(),
            user: stage.user,
            group: stage.group.as_ref().map(Group::entrance),
            until: Until::ExitWithReport,
            timeout: PROBE_TIMEOUT,
            grace: GRACE,
        };
        let launched = launcher.launch(&spec)?;
        if let Err(failure @ Failure::Spawn { .. }) = &launched.outcome
            && stage.group.is_some()
        {
            // That one may make a group does not mean that one may move processes into it.
            return Err(StageError::NoCpuQuota {
                scenario: stage.scenario.name.clone(),
                reason: failure.to_string(),
            });
        }
        if let Err(failure) = launched.outcome {
            return Err(StageError::Launch {
                scenario: stage.scenario.name.clone(),
                failure,
            });
        }
        let result = String::from_utf8_lossy(&launched.report).into_owned();
        if (result == "written") != writable {
            let seen = if writable {
                format!("{what} cannot be written by the app ({result})")
            } else {
                format!("{what} can be written by the app")
            };
            return Err(StageError::NotAsAsked {
                scenario: stage.scenario.name.clone(),
                what: seen,
            });
        }
    }
    Ok(())
}
