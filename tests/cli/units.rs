//! `coldsnake run --unit`: a systemd service, measured as it is deployed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::project::{As, Ended, Project, fate, is_root, python};

const SERVER: &str = r#"
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

import helper


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()


HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"#;

/// The usual app, below a checkout that has a unit in `deploy/`.
fn checkout(unit: &str) -> Project {
    let project = Project::new("");
    project.write("app/deploy/app.service", unit);
    project
}

fn measure(project: &Project, who: As, unit: &str) -> Ended {
    let python = python();
    project.run_as(
        who,
        &[
            "run", "--unit", unit, "--quiet", "--seed", "1", "--out", "out", "--blocks", "2",
            "--python", &python,
        ],
    )
}

/// The suite's text, as the record has it.
fn suite(project: &Project) -> String {
    project.record()[0]["suite"]["text"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_strict_sandbox_makes_the_source_read_only_and_the_directive_is_named() {
    let project = checkout(
        "[Service]\nType=oneshot\nWorkingDirectory=/opt/not-here\nProtectSystem=strict\n\
         Environment=ROOT=/opt/not-here/data\nCPUQuota=20%\n\
         ExecStart=/opt/not-here/venv/bin/python main.py\n",
    );
    measure(&project, As::Me, "app/deploy/app.service")
        .expect(0)
        .says(&[
            "CPUQuota=20% (app/deploy/app.service:6): a start under this limit",
            "/opt/not-here is not here",
            "there is no /opt/not-here/venv/bin/python here",
            "the service runs as root",
        ]);
    let receipt = project.receipt("as-deployed");
    assert!(
        fate(&receipt, "helper").starts_with("compiled E"),
        "{receipt}"
    );
    let text = suite(&project);
    for part in [
        "ProtectSystem=strict (app/deploy/app.service:4)",
        "ROOT = \"{source}/data\"",
        "# - CPUQuota=20%",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    for scenario in ["warm", "cold", "prefix-first", "prefix-warm"] {
        project.receipt(scenario);
    }
    project.expect_no_stage();
}

#[test]
fn a_drop_in_with_a_cache_directory_makes_the_prefix_warm() {
    let project = checkout(
        "[Service]\nDynamicUser=yes\nWorkingDirectory=/opt/not-here\n\
         ExecStart=/usr/bin/env python3 main.py \\\n# the port\n  --port ${PORT}\n",
    );
    project.write("app/main.py", SERVER);
    project.write(
        "app/deploy/app.service.d/10-cache.conf",
        "[Service]\nCacheDirectory=shop\n\
         Environment=PYTHONPYCACHEPREFIX=%C/shop/pyc \"PORT=8000\"\n",
    );
    measure(&project, As::Me, "app/deploy/app.service")
        .expect(0)
        .says(&["`--port 8000` became `--port {port}`"]);
    assert_eq!(fate(&project.receipt("as-deployed"), "helper"), "read");
    let text = suite(&project);
    for part in [
        "DynamicUser=yes (app/deploy/app.service:2), which implies ProtectSystem=strict",
        "prefix = \"warm\"",
        "tcp = true",
        "PORT = \"{port}\"",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    assert!(!text.contains("PYTHONPYCACHEPREFIX = "), "{text}");
}

#[test]
fn a_prefix_that_each_stop_removes_is_empty_and_one_outside_the_holes_unwritable() {
    let unit = |prefix: &str| {
        format!(
            "[Service]\nType=oneshot\nWorkingDirectory=/opt/not-here\nProtectSystem=strict\n\
             RuntimeDirectory=shop\nEnvironment=PYTHONPYCACHEPREFIX={prefix}\n\
             ExecStart=python3 main.py\n"
        )
    };
    for (prefix, value, because) in [
        ("%t/shop/pyc", "empty", "RuntimeDirectory=shop"),
        ("/var/cache/shop", "unwritable", "ProtectSystem=strict"),
    ] {
        let project = checkout(&unit(prefix));
        measure(&project, As::Me, "app/deploy/app.service").expect(0);
        let text = suite(&project);
        let deployed = text.split("[[scenario]]").nth(1).unwrap();
        assert!(
            deployed.contains(&format!("prefix = {value:?}")),
            "{deployed}"
        );
        assert!(deployed.contains(because), "{deployed}");
        let fate = fate(&project.receipt("as-deployed"), "helper");
        assert!(fate.starts_with("compiled"), "{fate}");
    }
}

#[test]
fn a_prefix_is_never_filled_where_python_is_told_to_write_nothing() {
    for (variable, flag) in [("PYTHONDONTWRITEBYTECODE=1", ""), ("A=1", "-uB")] {
        let project = checkout(&format!(
            "[Service]\nType=oneshot\nWorkingDirectory=/opt/not-here\nCacheDirectory=shop\n\
             Environment=PYTHONPYCACHEPREFIX=%C/shop {variable}\n\
             ExecStart=python3 {flag} main.py\n"
        ));
        measure(&project, As::Me, "app/deploy/app.service").expect(0);
        let receipt = project.receipt("as-deployed");
        assert_eq!(fate(&receipt, "helper"), "compiled", "{variable}");
        let warm = project.receipt("prefix-warm");
        assert_eq!(fate(&warm, "helper"), "read", "{variable}");
    }
}

#[test]
fn an_installed_app_is_judged_by_modes_and_by_the_bytecode_that_lies_there() {
    let project = Project::new("");
    let app = project.path().join("app");
    fs::set_permissions(&app, fs::Permissions::from_mode(0o755)).unwrap();
    let compiled = std::process::Command::new(python())
        .args(["-m", "compileall", "-q", "helper.py"])
        .current_dir(&app)
        .status()
        .unwrap();
    assert!(compiled.success());
    project.write(
        "shop@.service",
        &format!(
            "[Service]\nType=oneshot\nDynamicUser=yes\nWorkingDirectory={}\n\
             ReadWritePaths={0}\nEnvironment=PYTHONDONTWRITEBYTECODE=0\n\
             ExecStart=python3 main.py %i\n",
            app.display()
        ),
    );
    fs::rename(
        project.path().join("shop@.service"),
        project.path().join("shop@eu.service"),
    )
    .unwrap();
    measure(&project, As::Me, "shop@eu.service").expect(0);
    let text = suite(&project);
    let deployed = text.split("[[scenario]]").nth(1).unwrap();
    assert!(
        deployed.contains("has mode 0755") && deployed.contains("the dynamic user"),
        "{deployed}"
    );
    assert!(deployed.contains("\"helper\""), "{deployed}");
    assert!(text.contains("\"main.py\", \"eu\""), "{text}");
    let receipt = project.receipt("as-deployed");
    assert_eq!(fate(&receipt, "helper"), "read");
    assert!(fate(&receipt, "other").starts_with("compiled"));
}

#[test]
fn an_ordinary_user_can_measure_a_unit_too() {
    if !is_root() {
        return;
    }
    let project = checkout(
        "[Service]\nType=oneshot\nWorkingDirectory=/opt/not-here\nProtectSystem=strict\n\
         ExecStart=python3 main.py\n",
    );
    measure(&project, As::Ordinary, "app/deploy/app.service").expect(0);
}

#[test]
fn an_environment_file_that_may_not_be_read_is_named_with_what_helps() {
    let unit = "[Service]\nType=oneshot\nWorkingDirectory=/opt/not-here\n\
                EnvironmentFile=-SECRETS\nExecStart=python3 main.py\n";
    let project = checkout("");
    let secrets = project.path().join("secrets.env");
    fs::write(&secrets, "A=1\n").unwrap();
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o000)).unwrap();
    let unit = unit.replace("SECRETS", secrets.to_str().unwrap());
    project.write("app/deploy/app.service", &unit);
    measure(&project, As::Ordinary, "app/deploy/app.service")
        .expect(2)
        .says(&[
            "app/deploy/app.service:4: cannot read",
            "as a user who may read it",
        ]);
}

#[test]
fn a_unit_that_cannot_be_is_refused_with_file_and_line() {
    for (unit, says) in [
        (
            "[Service\n",
            "app/deploy/app.service:1: the section's heading is not closed",
        ),
        ("[Service]\nUser=x\n", "the unit starts nothing"),
        (
            "[Service]\nExecStart=python3 \"main.py\n",
            "app/deploy/app.service:2: a quote here is not closed",
        ),
        (
            "[Service]\nExecStart=python3 main.py %z\n",
            "there is no specifier %z",
        ),
        (
            "[Service]\nExecStart=python3 main.py\n",
            "nothing says where the app's source lies",
        ),
        (
            "[Service]\nWorkingDirectory=/opt/not-here\nExecStart=python3 nothing.py\n",
            "there is no /opt/not-here here, with nothing.py in it",
        ),
        (
            "[Service]\nEnvironmentFile=app.env\nExecStart=python3 main.py\n",
            "app/deploy/app.service:2: the path `app.env` is not absolute",
        ),
    ] {
        let project = checkout(unit);
        measure(&project, As::Me, "app/deploy/app.service")
            .expect(2)
            .says(&[says]);
    }
    let project = checkout("");
    project
        .run(&["run", "--unit", "app/deploy/none.service"])
        .expect(2)
        .says(&["cannot read the unit's file app/deploy/none.service"]);
    project
        .run(&["run", "suite.toml", "--unit", "app/deploy/app.service"])
        .expect(2)
        .says(&["cannot be used with"]);
    project
        .run(&["run", "--unit", "app/deploy/app.service", "--", "python3"])
        .expect(2)
        .says(&["cannot be used with"]);
}
