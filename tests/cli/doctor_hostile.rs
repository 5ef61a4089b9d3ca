//! `coldsnake doctor` on trees that are made to harm it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::doctoring::{
    STRANGER, app, compile, doctor, doctor_command, pyc, set_mode, tree, tree_json, verdicts,
};
use crate::project::{As, Project, end, is_root, python};

/// Writes a pyc for a module with the header of one that is right, and this body.
fn with_body(project: &Project, module: &str, body: &[u8]) {
    let path = pyc(project, module);
    let header = fs::read(&path).unwrap()[..16].to_vec();
    fs::write(path, [&header, body].concat()).unwrap();
}

#[test]
fn hostile_bytecode_is_damaged_and_harms_nobody() {
    let bodies: [(&str, Vec<u8>); 8] = [
        ("nothing", Vec::new()),
        ("huge_string", b"s\xff\xff\xff\x7f".to_vec()),
        ("huge_tuple", b"(\xff\xff\xff\x7fN".to_vec()),
        ("huge_set", b"<\xff\xff\xff\x7fN".to_vec()),
        ("huge_number", b"l\xff\xff\xff\x7f\x01\x00".to_vec()),
        ("deep", b")\x01".repeat(2_000_000)),
        ("deep_dict", b"{N".repeat(1_000_000)),
        ("reference", b"\xa9\x01r\x01\0\0\0".to_vec()),
    ];
    let names: Vec<&str> = bodies.iter().map(|(name, _)| *name).collect();
    let project = app(&names);
    compile(&project, "app", &[]);
    for (name, body) in &bodies {
        with_body(&project, name, body);
    }
    let said = verdicts(&tree_json(&project, "app", &[]));
    for name in names {
        assert_eq!(said[name], "corrupt", "{name}");
    }
}

#[test]
fn a_pyc_that_says_it_is_huge_is_not_read_to_its_end() {
    let project = app(&["sparse"]);
    compile(&project, "app", &[]);
    let file = fs::OpenOptions::new()
        .write(true)
        .open(pyc(&project, "sparse"));
    // A hole, which takes no room on the disk.
    file.unwrap().set_len(1 << 40).unwrap();
    let ended = tree(&project, "app", &["--all"]);
    assert!(
        ended.stdout.contains("too long to be looked at"),
        "{ended:?}"
    );
}

#[test]
fn pipes_devices_and_folders_by_modules_names_are_no_modules_and_nobody_waits_for_them() {
    let project = app(&["real", "waiting"]);
    compile(&project, "app", &[]);
    let path = |name: &str| project.path().join("app").join(name);
    mkfifo(&path("pipe.py"), Mode::S_IRWXU).unwrap();
    fs::create_dir(path("folder.py")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket.py")).unwrap();
    symlink("/dev/zero", path("device.py")).unwrap();
    symlink("nowhere", path("dangling.py")).unwrap();
    // An interpreter would wait for this one.
    let taken = pyc(&project, "waiting");
    fs::remove_file(&taken).unwrap();
    mkfifo(&taken, Mode::S_IRWXU).unwrap();
    let said = verdicts(&tree_json(&project, "app", &[]));
    let names: Vec<&str> = said.keys().map(String::as_str).collect();
    assert_eq!(names, ["real", "waiting"]);
    assert_eq!(said["waiting"], "unreadable");
    let ended = tree(&project, "app", &[]);
    assert!(
        ended.stdout.contains("pipes, devices or sockets"),
        "{ended:?}"
    );
}

#[test]
fn links_that_lead_back_are_not_followed() {
    let project = app(&["one"]);
    let app = project.path().join("app");
    symlink(".", app.join("loop")).unwrap();
    symlink(&app, app.join("again")).unwrap();
    symlink("self", app.join("self")).unwrap();
    symlink("one.py", app.join("two.py")).unwrap();
    symlink("three.py", app.join("three.py")).unwrap();
    let said = verdicts(&tree_json(&project, "app", &[]));
    assert_eq!(said.keys().collect::<Vec<_>>(), ["one", "two"]);
    let ended = tree(&project, "app", &[]);
    assert!(ended.stdout.contains("2 links to folders"), "{ended:?}");
}

#[test]
fn names_that_are_no_text_are_shown_without_harm() {
    let project = app(&["one"]);
    let app = project.path().join("app");
    fs::write(app.join(OsStr::from_bytes(b"caf\xe9.py")), "").unwrap();
    fs::write(app.join(OsStr::from_bytes(b"line\nend\x1b[2J.py")), "").unwrap();
    let folder = app.join(OsStr::from_bytes(b"p\xff"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("inner.py"), "").unwrap();
    let ended = tree(&project, "app", &["--all", "--user", STRANGER]).expect(1);
    assert!(!ended.stdout.contains('\x1b'), "{ended:?}");
    assert!(ended.stdout.contains("caf\u{fffd}"), "{ended:?}");
    assert!(ended.stdout.contains("p\u{fffd}.inner"), "{ended:?}");
    let said = verdicts(&tree_json(&project, "app", &[]));
    assert_eq!(said.len(), 4, "{said:?}");
    // The folder that is asked about may have such a name itself.
    let mut command = doctor_command(&project, As::Me, &["--python", &python(), "--tree"]);
    let ended = end(command.arg(&folder)).expect(0);
    assert!(ended.stdout.contains("No module of 1"), "{ended:?}");
}

#[test]
fn folders_that_are_deeper_than_a_path_can_say_are_no_end() {
    let project = app(&["one"]);
    let name = "d".repeat(200);
    let mut deepest = project.path().join("app");
    // Relative steps get deeper than 4,096 bytes, which no absolute path can name.
    for _ in 0..19 {
        deepest.push(&name);
    }
    fs::create_dir_all(&deepest).unwrap();
    let script = format!("cd \"$0\" && mkdir -p {name}/{name}/{name} && touch {name}/x.py");
    let made = std::process::Command::new("sh")
        .args(["-c", &script])
        .arg(&deepest)
        .status()
        .unwrap();
    assert!(made.success());
    let ended = tree(&project, "app", &[]).expect(0);
    assert!(ended.stdout.contains("cannot be listed"), "{ended:?}");
}

#[test]
fn many_modules_are_counted_and_few_are_named() {
    let project = app(&["one"]);
    let folder = project.path().join("app/many");
    fs::create_dir(&folder).unwrap();
    for number in 0..20_000 {
        fs::write(folder.join(format!("m{number:05}.py")), "").unwrap();
    }
    set_mode(&folder, 0o755);
    let ended = tree(&project, "app", &["--user", STRANGER]).expect(1);
    assert!(
        ended
            .stdout
            .starts_with("20001 of 20001 modules are compiled"),
        "{ended:?}"
    );
    assert!(ended.stdout.len() < 5_000, "{}", ended.stdout.len());
}

#[test]
fn nothing_of_the_tree_is_executed() {
    let project = app(&["one"]);
    let trap = "open('executed', 'w').close()\n";
    for name in [
        "one",
        "sitecustomize",
        "usercustomize",
        "json",
        "os",
        "site",
        "encodings",
    ] {
        project.write(&format!("app/{name}.py"), trap);
    }
    project.write("app/pyvenv.cfg.pth", "import os; open('executed', 'w')\n");
    let mut command = doctor_command(&project, As::Me, &["--tree", ".", "--python", &python()]);
    let ended = end(command.current_dir(project.path().join("app")));
    assert!(ended.status < 2, "{ended:?}");
    assert!(!project.path().join("app/executed").exists());
}

#[test]
fn what_may_not_be_looked_at_is_said() {
    let project = app(&["one"]);
    let closed = project.path().join("app/closed");
    fs::create_dir(&closed).unwrap();
    fs::write(closed.join("two.py"), "").unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    let folder = project.path().join("app");
    let args = [
        "doctor",
        "--python",
        &python(),
        "--tree",
        folder.to_str().unwrap(),
    ];
    let ended = project.run_as(As::Ordinary, &args);
    set_mode(&closed, 0o755);
    assert!(
        ended.stdout.contains("a folder that cannot be listed"),
        "{ended:?}"
    );
    // Root sees it all.
    if is_root() {
        let said = verdicts(&tree_json(&project, "app", &[]));
        assert!(said.keys().any(|name| name.ends_with("two")), "{said:?}");
    }
}

#[test]
fn a_unit_or_a_command_of_nonsense_is_refused_and_not_run() {
    let project = Project::new("");
    project.write(
        "x.service",
        "[Service]\nExecStart=/bin/touch executed\nWorkingDirectory=/\n",
    );
    let ended = doctor(&project, &["--unit", "x.service"]);
    assert!(ended.status == 2, "{ended:?}");
    project.write("tool", "#!/bin/sh\ntouch executed\n");
    set_mode(&project.path().join("tool"), 0o755);
    doctor(&project, &["--", "./tool"])
        .expect(2)
        .says(&["only Python programs"]);
    assert!(!Path::new(&project.path().join("executed")).exists());
}
