//! Each cause of compiling at every start: named with what shows it, and with the fix that works.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::doctoring::{
    STRANGER, app, compile, doctor, doctor_command, evidence, finding, fixes, pyc, set_mode,
    set_modified, tree, tree_json,
};
use crate::project::{
    As, Ended, Project, end, is_root, make_environment, python, with_environment,
};

/// A command in a mount namespace of its own, after these lines of shell; `None` where there can be
/// none.
fn in_namespace(project: &Project, before: &str, args: &[&str]) -> Option<Ended> {
    let inner = doctor_command(project, As::Me, args);
    let unshare = if is_root() {
        &["-m"][..]
    } else {
        &["-r", "-m"]
    };
    let script = format!("{{ {before}; }} || exit 99; exec \"$0\" \"$@\"");
    let mut command = Command::new("unshare");
    command
        .args(unshare)
        .args(["sh", "-c", &script])
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(project.path());
    let ended = end(&mut with_environment(command, &inner));
    let is_there = ended.status != 99 && !ended.stderr.contains("unshare");
    is_there.then_some(ended)
}

fn parsed(ended: &Ended) -> Value {
    assert!(ended.status < 2, "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// A unit beside the app that starts it with the usual interpreter.
fn unit(project: &Project, lines: &str) -> PathBuf {
    let text = format!(
        "[Service]\nWorkingDirectory={}\nExecStart={} main.py\n{lines}",
        project.path().join("app").display(),
        python()
    );
    project.write("shop.service", &text);
    project.path().join("shop.service")
}

fn of_unit(project: &Project, unit: &Path, options: &[&str]) -> Ended {
    doctor(
        project,
        &[&["--unit", unit.to_str().unwrap()], options].concat(),
    )
}

fn unit_json(project: &Project, unit: &Path) -> Value {
    parsed(&of_unit(project, unit, &["--format", "json"]))
}

// ---- the rows of the table --------------------------------------------------------------------

#[test]
fn a_tree_that_another_user_owns_is_compiled_when_it_is_deployed() {
    let project = app(&["one", "two"]);
    let diagnosis = tree_json(&project, "app", &["--user", STRANGER]);
    let finding = finding(&diagnosis, "absent");
    assert_eq!(finding["obstacle"], "EACCES");
    assert_eq!(finding["modules"], 2);
    assert!(evidence(finding).contains("has mode 0755 and belongs to"));
    let works = fixes(finding, true);
    assert!(works.contains("-m compileall -q"), "{works}");
    assert!(works.contains("PYTHONPYCACHEPREFIX="), "{works}");
    assert!(works.contains("sudo chown -R"), "{works}");
    // What is proposed works.
    compile(&project, "app", &[]);
    tree(&project, "app", &["--user", STRANGER]).expect(0);
}

/// `user::rwx`, the stranger by name, `group::r-x`, `mask::rwx` and `other::r-x`, as the kernel has them.
fn list_for_the_stranger(bits: u16) -> Vec<u8> {
    let nobody = u32::MAX;
    let stranger = STRANGER.parse().unwrap();
    let entries = [
        (0x01, 7, nobody),
        (0x02, bits, stranger),
        (0x04, 5, nobody),
        (0x10, 7, nobody),
        (0x20, 5, nobody),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, bits, id) in entries {
        list.extend(u16::to_le_bytes(tag));
        list.extend(bits.to_le_bytes());
        list.extend(u32::to_le_bytes(id));
    }
    list
}

/// Gives a folder an access control list; false where its file system has none.
fn set_list(folder: &Path, bits: u16) -> bool {
    let list = list_for_the_stranger(bits);
    let flags = rustix::fs::XattrFlags::empty();
    match rustix::fs::setxattr(folder, "system.posix_acl_access", &list, flags) {
        Ok(()) => true,
        Err(rustix::io::Errno::OPNOTSUPP) => false,
        Err(error) => panic!("{error}"),
    }
}

/// What the kernel says, where a process can be the stranger.
fn expect_can_write(project: &Project, folder: &Path, expected: bool) {
    if is_root() {
        let mut command = Command::new("setpriv");
        command
            .args([format!("--reuid={STRANGER}"), format!("--regid={STRANGER}")])
            .args(["--clear-groups", "touch"])
            .arg(folder.join(format!("written-{expected}")))
            .current_dir(project.path());
        assert_eq!(end(&mut command).status == 0, expected);
    }
}

#[test]
fn an_access_control_list_lets_a_user_write_or_keeps_them_out() {
    let project = app(&["one", "two"]);
    let app = project.path().join("app");
    if !set_list(&app, 7) {
        eprintln!("no access control lists here");
        return;
    }
    expect_can_write(&project, &app, true);
    // By the mode alone, whose middle is the list's mask now, no stranger may.
    let diagnosis = tree_json(&project, "app", &["--user", STRANGER]);
    assert!(finding(&diagnosis, "absent")["obstacle"].is_null());
    tree(&project, "app", &["--user", STRANGER]).expect(0);

    set_mode(&app, 0o777);
    assert!(set_list(&app, 5));
    // The list has set the others' bits, too; by them a stranger may, and this one is named.
    set_mode(&app, 0o777);
    expect_can_write(&project, &app, false);
    let diagnosis = tree_json(&project, "app", &["--user", STRANGER]);
    let found = finding(&diagnosis, "absent");
    assert_eq!(found["obstacle"], "EACCES");
    let shown = evidence(found);
    assert!(
        shown.contains("has mode 0777, an access control list (getfacl)"),
        "{shown}"
    );
}

#[test]
fn an_access_control_list_counts_for_bytecode_that_is_there() {
    let project = app(&["one"]);
    compile(&project, "app", &[]);
    let pyc = pyc(&project, "one");
    set_mode(&pyc, 0o600);
    if !set_list(&pyc, 4) {
        eprintln!("no access control lists here");
        return;
    }
    let diagnosis = tree_json(&project, "app", &["--user", STRANGER]);
    assert_eq!(diagnosis["findings"].as_array().unwrap().len(), 0);
    assert!(set_list(&pyc, 0));
    let diagnosis = tree_json(&project, "app", &["--user", STRANGER]);
    finding(&diagnosis, "unreadable");
}

#[test]
fn a_mount_that_is_read_only_is_named_and_chown_does_not_help() {
    let project = app(&["one", "two"]);
    let app = project.path().join("app");
    let python = python();
    let args = [
        "--tree",
        app.to_str().unwrap(),
        "--python",
        &python,
        "--format",
        "json",
    ];
    let before = "mount --bind app app && mount -o remount,ro,bind app";
    let Some(ended) = in_namespace(&project, before, &args) else {
        return;
    };
    let diagnosis = parsed(&ended.expect(1));
    let finding = finding(&diagnosis, "absent");
    assert_eq!(finding["obstacle"], "EROFS");
    assert!(
        evidence(finding).contains("is mounted read-only"),
        "{finding}"
    );
    assert!(
        evidence(finding).contains(app.to_str().unwrap()),
        "{finding}"
    );
    assert!(fixes(finding, true).contains("RUN "), "{finding}");
    assert!(fixes(finding, false).contains("chown"), "{finding}");
}

#[test]
fn a_strict_sandbox_is_named_and_chown_does_not_help() {
    for (lines, by) in [
        (
            "User=nobody\nProtectSystem=strict\n",
            "ProtectSystem=strict",
        ),
        ("DynamicUser=yes\n", "DynamicUser=yes"),
    ] {
        // A dynamic user has a /tmp of its own, in which nothing of the test's would be.
        let project = Project::new("");
        let text = format!(
            "[Service]\nWorkingDirectory=/opt/not-here\nExecStart={} main.py\n{lines}",
            python()
        );
        project.write("app/deploy/shop.service", &text);
        let unit = project.path().join("app/deploy/shop.service");
        let diagnosis = unit_json(&project, &unit);
        let finding = finding(&diagnosis, "absent");
        assert_eq!(finding["obstacle"], "unit-sandbox");
        assert!(evidence(finding).contains(by), "{finding}");
        let works = fixes(finding, true);
        assert!(works.contains("CacheDirectory=shop"), "{works}");
        let line = "Environment=PYTHONPYCACHEPREFIX=%C/shop/pyc";
        assert!(works.contains(line), "{works}");
        let fails = fixes(finding, false);
        assert!(
            fails.contains("chown") && fails.contains("whoever owns it"),
            "{fails}"
        );
        assert!(diagnosis["notes"].to_string().contains("is not here"));
    }
}

#[test]
fn bytecode_of_a_first_start_under_umask_077_is_there_and_unreadable() {
    let project = app(&["one", "two"]);
    compile(&project, "app", &[]);
    set_mode(&pyc(&project, "one"), 0o600);
    set_mode(&pyc(&project, "two"), 0o600);
    set_mode(&project.path().join("app/__pycache__"), 0o700);
    let diagnosis = tree_json(&project, "app", &["--user", STRANGER]);
    let finding = finding(&diagnosis, "unreadable");
    assert_eq!(finding["modules"], 2);
    assert!(evidence(finding).contains("umask 077"), "{finding}");
    assert!(fixes(finding, true).contains("chmod -R a+rX"), "{finding}");
    assert!(fixes(finding, false).contains("without -f"), "{finding}");
    // Its owner may read it.
    tree(&project, "app", &[]).expect(0);
    // What is proposed works.
    set_mode(&project.path().join("app/__pycache__"), 0o755);
    set_mode(&pyc(&project, "one"), 0o644);
    set_mode(&pyc(&project, "two"), 0o644);
    tree(&project, "app", &["--user", STRANGER]).expect(0);
}

#[test]
fn a_variable_that_forbids_writing_is_named_and_compileall_writes_in_spite_of_it() {
    let project = app(&["one", "two"]);
    let options = ["--env", "PYTHONDONTWRITEBYTECODE=yes"];
    let diagnosis = tree_json(&project, "app", &options);
    let found = finding(&diagnosis, "absent");
    assert_eq!(found["obstacle"], "dont-write");
    let works = fixes(found, true);
    assert!(works.contains("in spite of it"), "{works}");
    assert!(
        works.contains("take PYTHONDONTWRITEBYTECODE=yes back"),
        "{works}"
    );
    assert!(fixes(found, false).contains("a prefix"), "{found}");
    // For one who may not write there either, taking it back is not enough.
    let options = [&options[..], &["--user", STRANGER]].concat();
    let diagnosis = tree_json(&project, "app", &options);
    let fails = fixes(finding(&diagnosis, "absent"), false);
    assert!(fails.contains("alone it is not enough"), "{fails}");
    assert!(fails.contains("EACCES"), "{fails}");
}

#[test]
fn what_was_installed_without_compiling_is_compiled_at_build() {
    let project = app(&["one"]);
    make_environment(&project.path().join("app/.venv"));
    let packages = fs::read_dir(project.path().join("app/.venv/lib")).unwrap();
    let packages = packages
        .flatten()
        .next()
        .unwrap()
        .path()
        .join("site-packages");
    for name in ["installed.py", "package/__init__.py"] {
        fs::create_dir_all(packages.join("package")).unwrap();
        fs::write(packages.join(name), "").unwrap();
    }
    compile(&project, "app/one.py", &[]);
    let diagnosis = tree_json(&project, "app", &["--user", STRANGER]);
    let finding = finding(&diagnosis, "never-compiled");
    assert_eq!(finding["parts"], serde_json::json!({"site-packages": 2}));
    assert_eq!(finding["modules"], 2);
    let works = fixes(finding, true);
    assert!(works.contains("UV_COMPILE_BYTECODE=1"), "{works}");
    assert!(works.contains("-m compileall"), "{works}");
}

/// An interpreter whose standard library lies in the project, without bytecode. `None` where one
/// that is copied does not find it.
fn uncompiled(project: &Project) -> Option<PathBuf> {
    let ask =
        "import os, sys; print(os.path.realpath(sys.executable), os.path.dirname(os.__file__))";
    let output = Command::new(python())
        .args(["-I", "-c", ask])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (program, library) = text.trim().split_once(' ')?;
    let home = project.path().join("home");
    let copy = home.join("lib").join(Path::new(library).file_name()?);
    fs::create_dir_all(&copy).unwrap();
    fs::create_dir_all(home.join("bin")).unwrap();
    for entry in fs::read_dir(library).unwrap().flatten() {
        let name = entry.file_name();
        if name == "os.py" {
            fs::copy(entry.path(), copy.join(&name)).unwrap();
        } else if name != "__pycache__" {
            std::os::unix::fs::symlink(entry.path(), copy.join(&name)).unwrap();
        }
    }
    let own = home.join("bin/python3");
    fs::copy(program, &own).unwrap();
    let ask = "import os; print(os.path.dirname(os.__file__))";
    let output = Command::new(&own)
        .args(["-I", "-B", "-c", ask])
        .output()
        .ok()?;
    let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (Path::new(&found) == copy).then_some(own)
}

#[test]
fn a_standard_library_without_bytecode_is_compiled_at_build() {
    let project = app(&["main"]);
    let Some(python) = uncompiled(&project) else {
        return;
    };
    let args = [
        "--format",
        "json",
        "--user",
        STRANGER,
        "--",
        python.to_str().unwrap(),
        "app/main.py",
    ];
    let diagnosis = parsed(&doctor(&project, &args));
    let findings = diagnosis["findings"].as_array().unwrap();
    let finding = findings
        .iter()
        .find(|f| f["cause"] == "never-compiled" && f["parts"]["stdlib"].as_u64() > Some(50))
        .unwrap_or_else(|| panic!("{findings:#?}"));
    assert!(
        evidence(finding).contains("Docker's python images"),
        "{finding}"
    );
    assert!(
        fixes(finding, true).contains("home/lib/python3"),
        "{finding}"
    );
}

#[test]
fn times_that_were_rewritten_are_shown_and_unchecked_hashes_do_not_mind() {
    let project = app(&["one", "two", "three"]);
    compile(&project, "app", &[]);
    for module in ["one", "two", "three"] {
        set_modified(&project.path().join(format!("app/{module}.py")), 1);
    }
    let diagnosis = tree_json(&project, "app", &["--user", STRANGER]);
    let finding = finding(&diagnosis, "stale-mtime");
    assert_eq!(finding["modules"], 3);
    let shown = evidence(finding);
    assert!(
        shown.contains("the source is from 1970-01-01 00:00 UTC"),
        "{shown}"
    );
    assert!(shown.contains("all 3 sources have that time"), "{shown}");
    assert!(
        fixes(finding, true).contains("--invalidation-mode unchecked-hash"),
        "{finding}"
    );
    // What is proposed works, and goes on to.
    compile(&project, "app", &["--invalidation-mode", "unchecked-hash"]);
    set_modified(&project.path().join("app/one.py"), 0);
    tree(&project, "app", &["--user", STRANGER]).expect(0);
}

#[test]
fn an_app_image_finds_no_bytecode_under_a_prefix() {
    let project = app(&["one", "two"]);
    let mounted = project.path().join(".mount_shopAbC123");
    fs::rename(project.path().join("app"), &mounted).unwrap();
    let prefix = project.path().join("prefix");
    let options = ["--prefix", prefix.to_str().unwrap()];
    let diagnosis = tree_json(&project, ".mount_shopAbC123", &options);
    let finding = finding(&diagnosis, "app-image");
    assert_eq!(finding["effect"], "compiled-at-every-start");
    assert_eq!(diagnosis["modules"]["compiled_at_every_start"], 2);
    assert!(
        fixes(finding, true).contains("ship the bytecode"),
        "{finding}"
    );
    assert!(fixes(finding, false).contains("a prefix"), "{finding}");
    tree(&project, ".mount_shopAbC123", &options).expect(1);
}

#[test]
fn a_prefix_in_memory_is_named_with_its_mount() {
    let project = app(&["one", "two"]);
    let app = project.path().join("app");
    let prefix = project.path().join("prefix");
    fs::create_dir(&prefix).unwrap();
    let python = python();
    let args = [
        "--tree",
        app.to_str().unwrap(),
        "--python",
        &python,
        "--prefix",
        prefix.to_str().unwrap(),
        "--format",
        "json",
    ];
    let Some(ended) = in_namespace(&project, "mount -t tmpfs none prefix", &args) else {
        return;
    };
    let diagnosis = parsed(&ended.expect(1));
    let finding = finding(&diagnosis, "prefix-in-memory");
    assert_eq!(finding["obstacle"], "volatile");
    assert_eq!(finding["modules"], 2);
    assert!(evidence(finding).contains("(tmpfs)"), "{finding}");
    assert!(
        fixes(finding, true).contains("a folder that lasts"),
        "{finding}"
    );
}

#[test]
fn a_prefix_that_each_start_finds_empty_is_named_with_its_directive() {
    for (lines, prefix, by) in [
        (
            "RuntimeDirectory=shop\n",
            "%t/shop/pyc",
            "RuntimeDirectory=shop",
        ),
        ("PrivateTmp=yes\n", "/var/tmp/pyc", "PrivateTmp=yes"),
    ] {
        let project = Project::new("");
        let text = format!(
            "[Service]\nWorkingDirectory=/opt/not-here\nExecStart={} main.py\n{lines}\
             Environment=PYTHONPYCACHEPREFIX={prefix}\n",
            python()
        );
        project.write("app/deploy/shop.service", &text);
        let unit = project.path().join("app/deploy/shop.service");
        let diagnosis = unit_json(&project, &unit);
        let findings = diagnosis["findings"].as_array().unwrap();
        let finding = findings
            .iter()
            .find(|f| f["obstacle"] == "volatile")
            .unwrap_or_else(|| panic!("{findings:#?}"));
        assert!(evidence(finding).contains(by), "{finding}");
        let works = fixes(finding, true);
        assert!(works.contains("CacheDirectory=shop"), "{works}");
        // A prefix hides the standard library's bytecode, too.
        let answer = diagnosis["answer"].as_str().unwrap();
        assert!(
            answer.contains("each start finds the prefix empty"),
            "{answer}"
        );
    }
}

#[test]
fn a_prefix_that_cannot_be_written_is_named() {
    let project = app(&["one", "two"]);
    let prefix = project.path().join("app/prefix");
    let options = ["--user", STRANGER, "--prefix", prefix.to_str().unwrap()];
    compile(&project, "app", &[]);
    let diagnosis = tree_json(&project, "app", &options);
    let finding = finding(&diagnosis, "absent");
    assert_eq!(finding["obstacle"], "EACCES");
    let answer = diagnosis["answer"].as_str().unwrap();
    assert!(
        answer.contains("the prefix") && answer.contains("app/prefix"),
        "{answer}"
    );
}

#[test]
fn a_prefix_that_grows_is_named_with_what_it_holds_of_folders_that_are_gone() {
    let project = app(&["one"]);
    let gone = project.path().join("gone");
    let mirrored = format!("prefix{}", gone.display());
    project.write(
        &format!("{mirrored}/old.cpython-311.pyc"),
        &"x".repeat(5000),
    );
    let prefix = project.path().join("prefix");
    let variable = format!("PYTHONPYCACHEPREFIX={}", prefix.display());
    let diagnosis = tree_json(&project, "app", &["--env", &variable]);
    let finding = finding(&diagnosis, "prefix-grows");
    let shown = evidence(finding);
    assert!(shown.contains("1 pycs"), "{shown}");
    assert!(shown.contains(gone.to_str().unwrap()), "{shown}");
    assert!(shown.contains("handed down"), "{shown}");
    let works = fixes(finding, true);
    assert!(works.contains("-X pycache_prefix="), "{works}");
    // No start is slower for it.
    tree(&project, "app", &["--env", &variable]).expect(0);
}

#[test]
fn bytecode_of_another_level_does_not_count() {
    let project = app(&["one", "two"]);
    compile(&project, "app", &[]);
    let options = ["--optimization", "1", "--user", STRANGER];
    let diagnosis = tree_json(&project, "app", &options);
    let finding = finding(&diagnosis, "wrong-optimization");
    assert!(evidence(finding).contains("is for no -O"), "{finding}");
    assert!(
        fixes(finding, true).contains("compileall -q -o 1"),
        "{finding}"
    );
    compile(&project, "app", &["-o", "1"]);
    tree(&project, "app", &options).expect(0);
}

#[test]
fn an_interpreter_that_was_upgraded_finds_none_of_its_own() {
    let project = app(&["one", "two"]);
    compile(&project, "app", &[]);
    for module in ["one", "two"] {
        let old = project
            .path()
            .join(format!("app/__pycache__/{module}.cpython-38.pyc"));
        fs::rename(pyc(&project, module), old).unwrap();
    }
    let diagnosis = tree_json(&project, "app", &["--user", STRANGER]);
    let finding = finding(&diagnosis, "upgraded");
    assert_eq!(finding["modules"], 2);
    assert!(evidence(finding).contains("is of cpython-38"), "{finding}");
    assert!(
        fixes(finding, true).contains("in the hook of the upgrade"),
        "{finding}"
    );
}

#[test]
fn a_damaged_pyc_is_to_be_deleted() {
    let project = app(&["one", "two"]);
    compile(&project, "app", &[]);
    let broken = pyc(&project, "one");
    let whole = fs::read(&broken).unwrap();
    fs::write(&broken, &whole[..whole.len() - 3]).unwrap();
    let ended = tree(&project, "app", &[]).expect(1);
    assert!(
        ended
            .stdout
            .starts_with("1 of 2 modules cannot be imported"),
        "{ended:?}"
    );
    let diagnosis = tree_json(&project, "app", &[]);
    let finding = finding(&diagnosis, "corrupt");
    assert_eq!(finding["effect"], "fails");
    assert!(
        fixes(finding, true).contains(&format!("rm {}", broken.display())),
        "{finding}"
    );
    fs::remove_file(broken).unwrap();
    tree(&project, "app", &[]).expect(0);
}

#[test]
fn a_full_disk_is_named() {
    let project = app(&["one"]);
    let app = project.path().join("app");
    let python = python();
    let args = [
        "--tree",
        app.to_str().unwrap(),
        "--python",
        &python,
        "--format",
        "json",
    ];
    let before = "mount -t tmpfs -o size=64k none app && echo 'A = 1' > app/one.py \
                  && { cat /dev/zero > app/full 2>/dev/null; true; }";
    let Some(ended) = in_namespace(&project, before, &args) else {
        return;
    };
    let diagnosis = parsed(&ended.expect(1));
    let finding = finding(&diagnosis, "absent");
    assert_eq!(finding["obstacle"], "ENOSPC");
    assert!(fixes(finding, true).contains("df -h"), "{finding}");
}

// ---- the mystery ------------------------------------------------------------------------------

/// An app of which an admin's script cached three modules.
fn mystery() -> Project {
    let project = app(&["app", "utils", "analytics_queue", "config", "models"]);
    project.write("app/main.py", "import app\n");
    for module in ["analytics_queue", "config", "models"] {
        compile(&project, &format!("app/{module}.py"), &[]);
        set_modified(&pyc(&project, module), 1_732_443_000);
    }
    project
}

#[test]
fn three_pycs_of_an_admins_script_are_told_from_what_the_service_cannot_write() {
    let project = mystery();
    let unit = unit(&project, "User=nobody\n");
    let ended = of_unit(&project, &unit, &[]);
    let words = ended
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let diagnosis = unit_json(&project, &unit);
    let finding = finding(&diagnosis, "absent");
    let shown = evidence(finding);
    let me = owner(&project);
    for part in [
        "3 others have bytecode (analytics_queue, config, models)",
        &format!("written by {me} at 2024-11-24 10:10 UTC"),
        "by hand or by a script, as the service runs as nobody",
    ] {
        assert!(shown.contains(part), "no {part:?} in {shown}");
        assert!(words.contains(part), "no {part:?} in {words}");
    }
    assert_eq!(finding["obstacle"], "EACCES");
    assert_eq!(finding["examples"], serde_json::json!(["app", "utils"]));
    let works = fixes(finding, true);
    for part in ["-m compileall", "CacheDirectory=shop", "chown -R nobody"] {
        assert!(works.contains(part), "no {part:?} in {works}");
    }
    assert_eq!(fixes(finding, false), "");
}

#[test]
fn the_same_under_a_strict_sandbox_is_not_mended_by_chown() {
    let project = mystery();
    let unit = unit(&project, "User=nobody\nProtectSystem=strict\n");
    let diagnosis = unit_json(&project, &unit);
    let finding = finding(&diagnosis, "absent");
    assert_eq!(finding["obstacle"], "unit-sandbox");
    assert!(
        evidence(finding).contains("3 others have bytecode"),
        "{finding}"
    );
    let fails = fixes(finding, false);
    assert!(fails.contains("chown to nobody"), "{fails}");
    assert!(fails.contains("ProtectSystem=strict"), "{fails}");
    assert!(fails.contains("whoever owns it"), "{fails}");
    assert!(!fixes(finding, true).contains("chown"), "{finding}");
    // A command with full privileges runs outside of it, as root.
    let text = fs::read_to_string(&unit).unwrap();
    fs::write(&unit, text.replace("ExecStart=", "ExecStart=+")).unwrap();
    let diagnosis = unit_json(&project, &unit);
    assert!(
        !diagnosis.to_string().contains("unit-sandbox"),
        "{diagnosis}"
    );
    assert_eq!(diagnosis["user"], "root");
}

/// Who owns the project's files, by name.
fn owner(project: &Project) -> String {
    let uid = fs::metadata(project.path()).unwrap().uid();
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid));
    user.ok()
        .flatten()
        .map_or_else(|| format!("uid {uid}"), |user| user.name)
}
