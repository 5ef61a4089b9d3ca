//! CPU quotas, where control groups are to be had: as root, mostly.

use std::path::{Path, PathBuf};

use crate::project::{As, EXITING_APP, Project, end, give, is_root, make_environment};

const QUOTAS: &str = r#"
[[scenario]]
name = "quarter"
cpu = 0.25

[[scenario]]
name = "tenth"
cpu = "10%"
bytecode = "absent"
"#;

/// Uses the CPU for longer than a quarter of a period, and says which groups it is in.
const BUSY: &str = "import helper, time\n\
    end = time.process_time() + 0.15\n\
    while time.process_time() < end:\n    pass\n";

fn project() -> Project {
    // The import alone may be over before the quota is used up.
    let exiting = EXITING_APP.replace("[measure]", "[measure]\nmetrics = [\"exit\"]");
    let project = Project::new(&format!("{exiting}{QUOTAS}"));
    project.write("app/main.py", BUSY);
    project
}

/// Control groups of ours that are left.
fn left() -> Vec<PathBuf> {
    walkdir::WalkDir::new("/sys/fs/cgroup")
        .into_iter()
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("coldsnake-")
        })
        .map(walkdir::DirEntry::into_path)
        .collect()
}

/// Can groups with the cpu controller be made by this machine's root? Not in most containers.
fn can_be_limited() -> bool {
    let probe = Path::new("/sys/fs/cgroup/cpu/test-of-coldsnake");
    let unified = Path::new("/sys/fs/cgroup/test-of-coldsnake");
    is_root()
        && [(probe, "cpu.cfs_quota_us"), (unified, "cpu.max")]
            .into_iter()
            .any(|(folder, file)| {
                let made = std::fs::create_dir(folder).is_ok();
                let can = made && folder.join(file).exists();
                let _ = std::fs::remove_dir(folder);
                can
            })
}

/// Is every launch of the two scenarios held back by its quota, and no other?
fn expect_limits(project: &Project) {
    let launches = project.lines("launch");
    for launch in &launches {
        if launch["scenario"] == "warm" {
            assert!(launch["throttled_ms"].is_null(), "{launch}");
            assert!(launch["throttled_periods"].is_null(), "{launch}");
        } else {
            assert!(launch["throttled_periods"].as_u64() > Some(0), "{launch}");
            assert!(launch["throttled_ms"].as_f64() > Some(0.0), "{launch}");
        }
    }
    assert_eq!(launches.len(), 2 * 4);
    project.expect_no_violation();
}

#[test]
fn a_quota_holds_a_launch_back_and_its_group_is_gone_afterwards() {
    if !can_be_limited() {
        return;
    }
    for stage in ["overlay", "copy"] {
        let project = project();
        project.measure_staged(As::Me, stage, 2).expect(0);
        expect_limits(&project);
    }
    // Other tests may have groups of their own at this moment: what stays is what is left.
    for _ in 0..100 {
        if left().is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("left: {:?}", left());
}

/// A control group that is an ordinary user's, as `Delegate=yes` gives it; removed when dropped.
struct Delegated(PathBuf);

impl Delegated {
    fn make() -> Option<Self> {
        let version_1 = Path::new("/sys/fs/cgroup/cpu");
        let root = if version_1.join("cpu.cfs_quota_us").exists() {
            version_1
        } else {
            Path::new("/sys/fs/cgroup")
        };
        let folder = root.join(format!("delegated-{}", std::process::id()));
        std::fs::create_dir(&folder).ok()?;
        let group = Self(folder);
        let procs = group.0.join("cgroup.procs");
        for path in [&group.0, &procs, &group.0.join("cgroup.subtree_control")] {
            if path.exists() {
                give(path);
            }
        }
        Some(group)
    }
}

impl Drop for Delegated {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn an_ordinary_user_can_limit_what_is_launched_in_a_group_of_its_own() {
    if !can_be_limited() {
        return;
    }
    for stage in ["overlay", "copy"] {
        let project = project();
        project.give_to(As::Ordinary);
        let Some(group) = Delegated::make() else {
            return;
        };
        let options = ["--quiet", "--blocks", "2", "--stage", stage];
        let inner = project.measuring(As::Ordinary, &options);
        let mut run = std::process::Command::new("sh");
        run.args([
            "-c",
            "echo $$ > \"$0\" && cd \"$1\" && shift && exec \"$@\"",
        ])
        .arg(group.0.join("cgroup.procs"))
        .arg(project.path())
        .arg(inner.get_program())
        .args(inner.get_args());
        end(&mut crate::project::with_environment(run, &inner)).expect(0);
        expect_limits(&project);
    }
}

#[test]
fn an_app_that_leaves_its_group_is_a_violation() {
    if !can_be_limited() || !Path::new("/sys/fs/cgroup/cpu/cgroup.procs").exists() {
        return;
    }
    let project = project();
    // Before the interpreter starts, as a wrapper of a service may do it.
    project.write("app/main.py", "import helper\n");
    let python = project.path().join("python");
    let real = crate::project::python();
    project.write(
        "python",
        &format!("#!/bin/sh\necho 0 > /sys/fs/cgroup/cpu/cgroup.procs\nexec {real} \"$@\"\n"),
    );
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
    let suite = std::fs::read_to_string(project.path().join("suite.toml")).unwrap();
    let suite = suite.replace(
        "[\"{python}\", \"main.py\"]",
        &format!("[{:?}, \"main.py\"]", python.to_str().unwrap()),
    );
    project.write("suite.toml", &suite);
    // An app without root's privileges could not leave: the interpreter that only root can run
    // makes it run as root.
    let private = project.path().join("private");
    std::fs::create_dir(&private).unwrap();
    std::fs::set_permissions(&private, std::fs::Permissions::from_mode(0o700)).unwrap();
    let python = make_environment(&private.join("venv"));
    let options = ["--quiet", "--blocks", "1"];
    let mut run = project.measuring_under(As::Me, python.to_str().unwrap(), &options);
    end(&mut run).expect(4).says(&[
        "scenario `quarter`: the process was not in the control group",
        "nothing was measured",
    ]);
}

#[test]
fn whoever_may_not_limit_anything_is_told_what_would_help() {
    if !is_root() {
        return;
    }
    let project = project();
    project.measure(As::Ordinary, 1).expect(4).says(&[
        "the CPU time of scenario `quarter` cannot be limited",
        "run as root",
        "Delegate=yes",
    ]);
    project.expect_no_stage();
    // The other scenarios can be measured all the same.
    let options = ["--only", "warm", "--blocks", "1"];
    end(&mut project.measuring(As::Ordinary, &options)).expect(0);
}

#[test]
fn a_share_that_cannot_be_given_is_refused_with_its_line() {
    for cpu in ["0.0", "-1", "\"25\"", "\"no%\"", "2000", "\"0.5%\"", "nan"] {
        let project = Project::new(&format!(
            "{EXITING_APP}\n[[scenario]]\nname = \"limited\"\ncpu = {cpu}\n"
        ));
        project
            .measure(As::Me, 1)
            .expect(2)
            .says(&["suite.toml:18: ", "0.01 to 1024", "\"25%\""]);
    }
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"limited\"\ncpu = true\n"
    ));
    project
        .measure(As::Me, 1)
        .expect(2)
        .says(&["cpu is a number of CPUs"]);
}
