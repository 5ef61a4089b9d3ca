//! Where a port's number stands in a command, `{port}` takes its place.

/// The placeholder.
const PORT: &str = "{port}";

/// Puts the placeholder wherever the number stands by itself. Was there any such place?
pub fn replace<'a>(texts: impl Iterator<Item = &'a mut String>, port: u16) -> bool {
    let number = port.to_string();
    let mut found = false;
    for text in texts {
        if let Some(new) = replaced(text, &number) {
            *text = new;
            found = true;
        }
    }
    found
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
}
