//! The page cache, evicted before launches: seen by mincore(2), in the record.

use std::fs;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::statfs::{TMPFS_MAGIC, statfs};

use crate::project::{As, EXITING_APP, Ended, Project, end, is_root};

const CACHES: &str = r#"
[[scenario]]
name = "cold"
page-cache = "cold"

[[scenario]]
name = "cold-read-only"
source = "read-only"
bytecode = "absent"
page-cache = "cold"

[[scenario]]
name = "cold-prefix"
source = "read-only"
prefix = "warm"
page-cache = "cold"
"#;

/// What the app reads beside its modules.
const DATA_KIB: u64 = 8 * 1024;

fn project(scenarios: &str) -> Project {
    let project = Project::new(&format!("{EXITING_APP}{scenarios}"));
    project.write(
        "app/helper.py",
        "import other\nVALUE = other.VALUE + len(open('data.bin', 'rb').read())\n",
    );
    fs::write(
        project.path().join("app/data.bin"),
        vec![7; DATA_KIB as usize * 1024],
    )
    .unwrap();
    project
}

/// Do files of the tests' temporary folder lie in memory, where nothing can evict them?
fn is_on_a_tmpfs(project: &Project) -> bool {
    statfs(project.path()).unwrap().filesystem_type() == TMPFS_MAGIC
}

/// Measures, and once more if nothing stayed in memory but what others hold there: other tests start
/// the same interpreter beside this one. The app's own files are nobody else's.
fn alone(project: &Project, measure: impl Fn() -> Ended) -> Ended {
    let mut ended = measure();
    for _ in 0..10 {
        let stayed = ended.stdout.contains("stayed in the page cache");
        if !stayed || ended.stdout.contains("data.bin") {
            break;
        }
        fs::remove_dir_all(project.path().join("out")).unwrap();
        ended = measure();
    }
    ended
}

fn check(who: As, stage: &str) {
    let project = project(CACHES);
    project.give_to(who);
    if is_on_a_tmpfs(&project) {
        return;
    }
    alone(&project, || project.measure_staged(who, stage, 2)).expect(0);
    project.expect_no_violation();
    assert_ne!(project.receipt("cold")["source_filesystem"], "tmpfs");
    for launch in project.lines("launch") {
        if launch["scenario"] == "warm" {
            for field in ["evicted_kib", "resident_kib", "unseen_kib"] {
                assert!(launch[field].is_null(), "{launch}");
            }
            continue;
        }
        assert!(launch["evicted_kib"].as_u64() >= Some(DATA_KIB), "{launch}");
        let unseen = launch["unseen_kib"].as_u64().unwrap();
        if who == As::Ordinary {
            // The interpreter is root's.
            assert!(unseen > 0, "{launch}");
        } else if is_root() {
            assert_eq!(unseen, 0, "{launch}");
        }
    }
    project.expect_no_stage();
}

#[test]
fn what_the_app_opens_is_evicted_for_whoever_runs_the_tests_under_a_layer() {
    check(As::Me, "overlay");
}

#[test]
fn what_the_app_opens_is_evicted_for_whoever_runs_the_tests_in_a_copy() {
    check(As::Me, "copy");
}

#[test]
fn what_the_app_opens_is_evicted_for_an_ordinary_user_under_a_layer() {
    check(As::Ordinary, "overlay");
}

#[test]
fn what_the_app_opens_is_evicted_for_an_ordinary_user_in_a_copy() {
    check(As::Ordinary, "copy");
}

#[test]
fn a_server_that_is_ended_by_a_signal_tells_its_files_too() {
    let project = project("[[scenario]]\nname = \"cold\"\npage-cache = \"cold\"\n");
    let suite = fs::read_to_string(project.path().join("suite.toml")).unwrap();
    let suite = suite.replace("module = \"helper\"", "ready = { stdout = \"^ready\" }");
    project.write("suite.toml", &suite);
    project.write(
        "app/main.py",
        "import helper, time\nprint('ready', flush=True)\ntime.sleep(60)\n",
    );
    if is_on_a_tmpfs(&project) {
        return;
    }
    alone(&project, || project.measure(As::Me, 1)).expect(0);
    for launch in project.launches("cold") {
        assert!(launch["evicted_kib"].as_u64() >= Some(DATA_KIB), "{launch}");
    }
}

/// Maps a file and holds its pages in memory, as another process that uses it may.
struct Held {
    address: *mut libc::c_void,
    bytes: usize,
}

impl Held {
    fn hold(file: &fs::File) -> Self {
        let bytes = usize::try_from(file.metadata().unwrap().len()).unwrap();
        // SAFETY: a new mapping at an address of the kernel's choice, of a file's whole length.
        let address = unsafe {
            let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
            let fd = file.as_raw_fd();
            libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_READ, flags, fd, 0)
        };
        assert_ne!(address, libc::MAP_FAILED);
        Self { address, bytes }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nothing refers into it.
        unsafe { libc::munmap(self.address, self.bytes) };
    }
}

#[test]
fn pages_that_stay_are_a_violation() {
    let project = project("[[scenario]]\nname = \"cold\"\npage-cache = \"cold\"\n");
    if is_on_a_tmpfs(&project) {
        return;
    }
    let mut running = project
        .measuring(As::Me, &["--blocks", "15"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // After the receipts: what is held before that cannot be known to be the scenario's.
    while !project.path().join("out/record.jsonl").exists() {
        if let Some(status) = running.try_wait().unwrap() {
            let mut stderr = String::new();
            running
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut stderr)
                .unwrap();
            panic!("{status}: {stderr}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let held: Vec<Held> = walkdir::WalkDir::new(project.path())
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_name() == "data.bin")
        .filter_map(|entry| fs::File::open(entry.path()).ok())
        .map(|file| Held::hold(&file))
        .collect();
    assert!(!held.is_empty());
    let output = running.wait_with_output().unwrap();
    drop(held);
    assert_eq!(output.status.code(), Some(4));
    let launches = project.lines("launch");
    let violation = launches
        .iter()
        .filter(|launch| launch["scenario"] == "cold")
        .find_map(|launch| launch["violations"][0].as_str())
        .expect("no violation");
    assert!(
        violation.contains("stayed in the page cache"),
        "{violation}"
    );
    assert!(violation.contains("data.bin"), "{violation}");
}

#[test]
fn a_tmpfs_and_a_cold_page_cache_exclude_each_other() {
    for place in [
        "source-on = \"tmpfs\"",
        "prefix = \"warm\"\nprefix-on = \"tmpfs\"",
    ] {
        let scenario = format!("[[scenario]]\nname = \"cold\"\npage-cache = \"cold\"\n{place}\n");
        project(&scenario)
            .measure(As::Me, 1)
            .expect(2)
            .says(&["suite.toml:17: ", "what lies on a tmpfs cannot be evicted"]);
    }
    let project = project("[[scenario]]\nname = \"cold\"\npage-cache = \"cold\"\n");
    let mut command = project.measuring(As::Ordinary, &["--blocks", "1"]);
    command.env("TMPDIR", "/dev/shm");
    end(&mut command).expect(4).says(&[
        "scenario `cold`: none of the files",
        "on a tmpfs",
        "TMPDIR",
    ]);
}

const DROPPED: &str = "[[scenario]]\nname = \"dropped\"\npage-cache = \"dropped\"\n";

#[test]
fn the_machines_page_cache_is_dropped_only_when_that_is_allowed_and_possible() {
    let project = project(DROPPED);
    project.measure(As::Me, 1).expect(2).says(&[
        "scenario `dropped` drops the page cache of the whole machine",
        "--allow-drop-caches",
        "page-cache = \"cold\"",
    ]);
    let allowed = ["--blocks", "1", "--allow-drop-caches"];
    end(&mut project.measuring(As::Ordinary, &allowed))
        .expect(4)
        .says(&[
            "scenario `dropped` cannot drop the machine's page cache",
            "run as root",
        ]);
    let writable = fs::File::options()
        .write(true)
        .open("/proc/sys/vm/drop_caches")
        .is_ok();
    if !is_root() || !writable || is_on_a_tmpfs(&project) {
        return;
    }
    alone(&project, || end(&mut project.measuring(As::Me, &allowed))).expect(0);
    for launch in project.launches("dropped") {
        assert!(launch["evicted_kib"].as_u64() >= Some(DATA_KIB), "{launch}");
        assert!(launch["violations"].is_null(), "{launch}");
    }
}
