//! The validator of bytecode against `marshal.loads` of the interpreters that are here: whole
//! bodies, each beginning of them, and bodies with bytes changed.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coldsnake::doctor::marshal::{Dialect, check};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Prints the minor version, and bodies as lines of hexadecimal digits.
const MAKE: &str = r#"
import marshal, sys
SOURCES = [
    "x = 1\n",
    "def f(a, b=1, *c, d, e=(1, 2.5, 3j, b'x', None, ...), **g):\n    '''doc'''\n    return [a for a in c]\n",
    "class A:\n    x: int = 123456789012345678901234567890\n    def m(self):\n        return lambda: (self, __class__)\n",
    "s = {1, 2} and 'a' in {'é', '\\ud800', 'x' * 300}\nt = -5 << 70\n",
    "async def g():\n    async with a as b:\n        yield b[1:2]\n",
]
print(sys.version_info[1])
for source in SOURCES:
    print(marshal.dumps(compile(source, "file.py", "exec")).hex())
"#;

/// Reads bodies, and prints for each whether it is loaded as code (1), not (0), or is too much for
/// the interpreter itself (x). Each in a process of its own, with little memory.
const LOAD: &str = r#"
import marshal, os, resource, sys
code = type(compile("", "", "exec"))
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
said = []
for line in sys.stdin:
    body = bytes.fromhex(line)
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
        os.dup2(os.open("/dev/null", os.O_WRONLY), 2)
        try:
            os._exit(1 if isinstance(marshal.loads(body), code) else 0)
        except BaseException:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    said.append("x" if os.WIFSIGNALED(status) else str(os.WEXITSTATUS(status)))
print("".join(said))
"#;

const CHANGED: usize = 150;

/// Those of pyenv, of the system, and of `scripts/pythons`.
fn interpreters() -> Vec<PathBuf> {
    let home = std::env::var_os("HOME").map_or_else(PathBuf::new, PathBuf::from);
    let versions = std::fs::read_dir(home.join(".pyenv/versions")).ok();
    let unpacked = home.join(".cache/coldsnake/pythons/unpacked/usr/bin");
    let mut found: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/python3"))
        .chain((9..=15).map(|minor| PathBuf::from(format!("/usr/bin/python3.{minor}"))))
        .chain((13..=15).map(|minor| unpacked.join(format!("python3.{minor}"))))
        .filter(|path| path.is_file())
        .collect();
    found.sort();
    found
}

fn run(python: &Path, code: &str, input: &str) -> String {
    let mut child = Command::new(python)
        .args(["-I", "-B", "-S", "-c", code])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writing = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap())
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn bodies_are_taken_and_refused_as_marshal_does() {
    let mut compared = 0;
    for python in interpreters() {
        let made = run(&python, MAKE, "");
        let mut lines = made.lines();
        let minor: u32 = lines.next().unwrap().parse().unwrap();
        if minor < 9 {
            continue;
        }
        let dialect = Dialect::of(minor);
        let mut random = ChaCha8Rng::seed_from_u64(u64::from(minor));
        let mut bodies: Vec<Vec<u8>> = Vec::new();
        for line in lines {
            let whole = bytes(line);
            assert_eq!(check(&whole, dialect), Ok(()), "{}", python.display());
            let step = whole.len().div_ceil(60);
            bodies.extend(
                (0..whole.len())
                    .step_by(step)
                    .map(|end| whole[..end].to_vec()),
            );
            for _ in 0..CHANGED {
                let mut changed = whole.clone();
                for _ in 0..random.random_range(1..3) {
                    let at = random.random_range(0..changed.len());
                    changed[at] = random.random();
                }
                bodies.push(changed);
            }
            bodies.push(whole);
        }
        let input: String = bodies.iter().map(|body| hex(body) + "\n").collect();
        let said = run(&python, LOAD, &input);
        let said = said.trim();
        let ended = said.matches('x').count();
        let taken = said.matches('1').count();
        println!(
            "{}: {} bodies, {taken} taken, {ended} ended the interpreter",
            python.display(),
            bodies.len()
        );
        assert_eq!(said.len(), bodies.len(), "{}", python.display());
        for (body, said) in bodies.iter().zip(said.chars()) {
            let ours = check(body, dialect);
            // Some bodies end the interpreter itself: nothing can be said of those.
            if said != 'x' {
                let taken = said == '1';
                assert_eq!(
                    ours.is_ok(),
                    taken,
                    "{}: {ours:?}, and marshal says {said} of\n{}",
                    python.display(),
                    hex(body)
                );
                compared += 1;
            }
        }
    }
    println!("{compared} bodies were compared");
    assert!(compared > 500, "only {compared} bodies were compared");
}
