//! What a wheel and a source package are made of. Building one takes minutes: scripts/wheel does it.

use std::fs;
use std::path::Path;
use std::process::Command;

use toml::Table;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn table(file: &str) -> Table {
    let text = fs::read_to_string(root().join(file)).unwrap();
    text.parse().unwrap()
}

fn strings(list: &toml::Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|each| each.as_str().unwrap()).collect()
}

#[test]
fn the_wheel_has_name_licence_and_the_rest_from_the_crate() {
    let (cargo, python) = (table("Cargo.toml"), table("pyproject.toml"));
    let (package, project) = (&cargo["package"], &python["project"]);
    for key in ["name", "license"] {
        assert_eq!(package[key], project[key], "{key}");
    }
    for key in strings(&project["dynamic"]) {
        assert!(package.get(key).is_some(), "Cargo.toml has no {key}");
    }
    for file in strings(&project["license-files"]) {
        assert!(root().join(file).is_file(), "{file} is not there");
    }
    assert_eq!(python["tool"]["maturin"]["bindings"].as_str(), Some("bin"));
}

#[test]
fn the_oldest_python_and_the_oldest_rust_are_those_that_the_documents_name() {
    let (cargo, python) = (table("Cargo.toml"), table("pyproject.toml"));
    let rust = cargo["package"]["rust-version"].as_str().unwrap();
    let requires = python["project"]["requires-python"].as_str().unwrap();
    let oldest = requires.trim_start_matches(">=");
    for document in ["README.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        assert!(text.contains(rust), "{document}: not Rust {rust}");
        let python = format!("Python {oldest} or newer");
        assert!(text.contains(&python), "{document}: not {python}");
    }
}

#[test]
fn what_builds_the_wheel_is_pinned_with_hashes() {
    let pins = fs::read_to_string(root().join("scripts/wheel-requirements.txt")).unwrap();
    let packages: Vec<&str> = pins.lines().filter(|line| line.contains("==")).collect();
    assert!(packages.iter().any(|line| line.starts_with("maturin==")));
    let whole = pins.replace("\\\n", " ");
    for line in whole.lines().filter(|line| line.contains("==")) {
        assert!(line.contains("--hash=sha256:"), "{line}");
    }
}

#[test]
fn a_source_package_holds_what_the_build_includes_and_no_results() {
    let cargo = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&cargo.stderr);
    assert!(cargo.status.success(), "{error}");
    let text = String::from_utf8(cargo.stdout).unwrap();
    let files: Vec<&str> = text.lines().collect();
    for file in [
        "build.rs",
        "src/stage/hook.py",
        "src/report/fonts/DejaVuSans.ttf",
        "scenarios/calibration/suite.toml",
        "scenarios/lernmanager/full.toml",
        "scenarios/lernmanager/requirements.txt",
        "scenarios/lernmanager/app/templates/base.html",
        "scenarios/httpserver/app/serve.py",
        "README.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        assert!(files.contains(&file), "{file} is not in:\n{text}");
    }
    let unwanted = |file: &&str| {
        ["results/", "tests/", "benches/", "scripts/"]
            .iter()
            .any(|folder| file.starts_with(folder))
            || file.contains("__pycache__")
    };
    let unwanted: Vec<&&str> = files.iter().filter(|file| unwanted(file)).collect();
    assert!(unwanted.is_empty(), "{unwanted:?}");
}
