//! Where a port's number stands in a command, `{port}` takes its place.

use crate::suite::text::PORT;

/// Ports from here on are those that the kernel gives to whoever asks for port 0 (ip(7),
/// `ip_local_port_range`).
const EPHEMERAL: u16 = 32768;

/// Puts the placeholder wherever the number stands by itself, or in place of the 0 that asks for any
/// port. Was there such a place, or the placeholder already?
pub fn replace<'a>(texts: impl Iterator<Item = &'a mut String>, port: u16) -> bool {
    let number = port.to_string();
    let mut found = false;
    let mut zeros = Vec::new();
    for text in texts {
        if let Some(new) = replaced(text, &number) {
            *text = new;
            found = true;
        } else if text.contains(PORT) {
            // A user who knows suites may give it as it is.
            found = true;
        } else if is_any_port(text) {
            zeros.push(text);
        }
    }
    // More than one cannot be told apart.
    if let ([zero], false, true) = (&mut zeros[..], found, port >= EPHEMERAL) {
        zero.pop();
        zero.push_str(PORT);
        found = true;
    }
    found
}

/// `0`, `--port=0`, `127.0.0.1:0`
fn is_any_port(text: &str) -> bool {
    text == "0" || text.ends_with(":0") || text.ends_with("port=0")
}

/// `--port=8000`, `-p8000`, `0.0.0.0:8000` and `8000`, but neither `18000` nor `8000.5`.
fn replaced(text: &str, number: &str) -> Option<String> {
    let mut new = String::new();
    let mut rest = text;
    let mut before = None;
    let mut found = false;
    while let Some(index) = rest.find(number) {
        let (start, after) = (&rest[..index], &rest[index + number.len()..]);
        let previous = start.chars().last().or(before);
        let next = after.chars().next();
        let in_number = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
        new.push_str(start);
        if in_number(previous) || in_number(next) {
            new.push_str(number);
        } else {
            new.push_str(PORT);
            found = true;
        }
        before = number.chars().last();
        rest = after;
    }
    new.push_str(rest);
    found.then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_found_wherever_options_have_it() {
        let mut words = [
            "--port",
            "8000",
            "--port=8000",
            "-p8000",
            "--bind=0.0.0.0:8000",
            "[::1]:8000",
            "18000",
            "80001",
            "8000.5",
        ]
        .map(str::to_owned);
        assert!(replace(words.iter_mut(), 8000));
        assert_eq!(
            words,
            [
                "--port",
                "{port}",
                "--port={port}",
                "-p{port}",
                "--bind=0.0.0.0:{port}",
                "[::1]:{port}",
                "18000",
                "80001",
                "8000.5"
            ]
        );
        assert!(!replace(["run".to_owned()].iter_mut(), 8000));
    }

    #[test]
    fn a_zero_asks_for_any_port() {
        let replaced = |words: [&str; 2], port| {
            let mut words = words.map(str::to_owned);
            replace(words.iter_mut(), port).then(|| words.join(" "))
        };
        let expected = |text: &str| Some(text.to_owned());
        assert_eq!(replaced(["-p", "0"], 40000), expected("-p {port}"));
        assert_eq!(
            replaced(["--bind", "[::]:0"], 40000),
            expected("--bind [::]:{port}")
        );
        assert_eq!(replaced(["-v", "0"], 8000), None);
        assert_eq!(replaced(["0", "0"], 40000), None);
    }
}
