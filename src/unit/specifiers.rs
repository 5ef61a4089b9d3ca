//! Specifiers: `%C`, `%i`, `%%` (systemd.unit(5), "Specifiers").

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::utsname::uname;

use super::host::Host;

/// A unit's name and its parts: `shop@eu-west.service`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitName {
    /// `%n`
    pub full: String,
    /// `%p`: up to the first `@`, or to the suffix.
    pub prefix: String,
    /// `%i`: between the first `@` and the suffix. Empty in a template.
    pub instance: Option<String>,
}

/// The suffix of all units that are read here.
pub const SUFFIX: &str = ".service";

impl UnitName {
    /// Takes a file's name apart; `None` where it is none of a service.
    pub fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(SUFFIX).filter(|stem| !stem.is_empty())?;
        let (prefix, instance) = match stem.split_once('@') {
            Some((prefix, instance)) => (prefix, Some(instance.to_owned())),
            None => (stem, None),
        };
        (!prefix.is_empty()).then(|| Self {
            full: name.to_owned(),
            prefix: prefix.to_owned(),
            instance,
        })
    }

    /// `%N`: without its suffix.
    pub fn stem(&self) -> &str {
        self.full.strip_suffix(SUFFIX).unwrap_or(&self.full)
    }

    /// The name of the template that this is an instance of.
    pub fn template(&self) -> Option<String> {
        let instance = self.instance.as_ref()?;
        (!instance.is_empty()).then(|| format!("{}@{SUFFIX}", self.prefix))
    }
}

/// A text with its specifiers replaced. One that does not exist stays as it is; see
/// [`unknown`].
pub(super) fn expand(text: &str, name: &UnitName, unit: &Path, host: &Host) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            None => out.push('%'),
            Some('%') => out.push('%'),
            Some(letter) => match value(letter, name, unit, host) {
                Some(value) => out += &value,
                None => out.extend(['%', letter]),
            },
        }
    }
    out
}

/// The first specifier of a text that does not exist: systemd does not load such a command.
pub(super) fn unknown(text: &str, name: &UnitName, unit: &Path, host: &Host) -> Option<char> {
    let mut chars = text.chars();
    while chars.find(|c| *c == '%').is_some() {
        let letter = chars.next()?;
        if letter != '%' && value(letter, name, unit, host).is_none() {
            return Some(letter);
        }
    }
    None
}

fn value(letter: char, name: &UnitName, unit: &Path, host: &Host) -> Option<String> {
    let path = |path: &PathBuf| Some(path.display().to_string());
    let instance = || name.instance.clone().unwrap_or_default();
    let last_part = || {
        name.prefix
            .rsplit('-')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    match letter {
        'a' => Some(uname().ok()?.machine().to_str()?.replace('_', "-")),
        'b' => host.line_of("/proc/sys/kernel/random/boot_id"),
        'C' => path(&host.cache),
        'd' => Some(format!(
            "{}/credentials/{}",
            host.runtime.display(),
            name.full
        )),
        'D' => Some("/usr/share".to_owned()),
        'E' => path(&host.configuration),
        'f' => {
            let text = match name.instance.as_deref() {
                Some(instance) if !instance.is_empty() => unescape(instance),
                _ => unescape(&name.prefix),
            };
            Some(format!("/{}", text.trim_start_matches('/')))
        }
        'g' => Some(host.manager.group.clone()),
        'G' => Some(host.manager.gid.to_string()),
        'h' => path(&host.manager.home),
        'H' | 'q' => Some(host.hostname.clone()),
        'i' => Some(instance()),
        'I' => Some(unescape(&instance())),
        'j' => Some(last_part()),
        'J' => Some(unescape(&last_part())),
        'l' => Some(host.hostname.split('.').next()?.to_owned()),
        'L' => path(&host.logs),
        'm' => host.line_of("/etc/machine-id"),
        'n' => Some(name.full.clone()),
        'N' => Some(name.stem().to_owned()),
        'o' => os_release(host, "ID"),
        'p' => Some(name.prefix.clone()),
        'P' => Some(unescape(&name.prefix)),
        's' => path(&host.manager.shell),
        'S' => path(&host.state),
        't' => path(&host.runtime),
        'T' => path(&host.tmp),
        'u' => Some(host.manager.name.clone()),
        'U' => Some(host.manager.uid.to_string()),
        'v' => Some(uname().ok()?.release().to_str()?.to_owned()),
        'V' => path(&host.var_tmp),
        'w' => os_release(host, "VERSION_ID"),
        'W' => os_release(host, "VARIANT_ID"),
        'y' => Some(unit.display().to_string()),
        'Y' => Some(unit.parent()?.display().to_string()),
        _ => None,
    }
}

/// Undoes systemd-escape(1): `-` is a slash, `\x2d` a byte.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = after
            .strip_prefix(b"x")
            .filter(|_| byte == b'\\')
            .and_then(|hex| std::str::from_utf8(hex.get(..2)?).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, escaped) {
            (_, Some(value)) => {
                bytes.push(value);
                rest = &after[3..];
                continue;
            }
            (b'-', None) => bytes.push(b'/'),
            (other, None) => bytes.push(other),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A field of os-release(5); empty where it is not there.
fn os_release(host: &Host, key: &str) -> Option<String> {
    let text = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|path| fs::read_to_string(host.file(Path::new(path))).ok())
        .unwrap_or_default();
    let mut lines = text.lines();
    let found = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    Some(found.unwrap_or_default().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_apart() {
        let name = UnitName::parse("shop@eu-west.service").unwrap();
        assert_eq!(name.prefix, "shop");
        assert_eq!(name.instance.as_deref(), Some("eu-west"));
        assert_eq!(name.stem(), "shop@eu-west");
        assert_eq!(name.template().as_deref(), Some("shop@.service"));
        assert_eq!(UnitName::parse("shop@.service").unwrap().template(), None);
        assert_eq!(UnitName::parse("shop.socket"), None);
        assert_eq!(UnitName::parse(".service"), None);
    }

    #[test]
    fn specifiers_are_those_of_the_system_manager() {
        let mut host = Host::observe();
        host.hostname = "web.example".to_owned();
        let name = UnitName::parse("my-shop@a-b\\x2dc.service").unwrap();
        let expand = |text: &str| expand(text, &name, Path::new("/d/my-shop@.service"), &host);
        assert_eq!(
            expand("%C/x %S %t %L %E"),
            "/var/cache/x /var/lib /run /var/log /etc"
        );
        assert_eq!(
            expand("%p %i %I %j %N"),
            "my-shop a-b\\x2dc a/b-c shop my-shop@a-b\\x2dc"
        );
        assert_eq!(expand("%f %l %H %u %U"), "/a/b-c web web.example root 0");
        assert_eq!(expand("%Y %T %V"), "/d /tmp /var/tmp");
        assert_eq!(expand("100%% %z %"), "100% %z %");
    }
}
