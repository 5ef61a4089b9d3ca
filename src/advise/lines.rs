//! Lines to paste: what `advise` and the doctor print of the same fix.

use crate::suite::text::shell;

/// A call of compileall, as a shell takes it.
pub fn compileall<T: AsRef<str>>(python: &str, options: &[&str], folders: &[T]) -> String {
    let call = [python, "-m", "compileall", "-q"];
    let words = call.iter().chain(options).copied();
    let folders = folders.iter().map(AsRef::as_ref);
    let words: Vec<String> = words.chain(folders).map(str::to_owned).collect();
    shell(&words)
}

/// What a unit says to have a prefix in a folder that systemd makes, gives to the service's user, and
/// keeps.
pub fn prefix_in_unit(name: &str) -> Vec<String> {
    vec![
        "[Service]".to_owned(),
        format!("CacheDirectory={name}"),
        format!("Environment=PYTHONPYCACHEPREFIX=%C/{name}/pyc"),
    ]
}
