//! The size of text, known before it is drawn: from the embedded fonts.

use plotters::style::{FontStyle, IntoFont};

use super::super::theme::{FONT_FAMILY, Ink};

/// From the highest to the lowest point of a line, in ems, in DejaVu Sans: (1901 + 483) / 2048.
pub const LINE_PER_EM: f64 = 2384.0 / 2048.0;

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

/// Which end of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// What a text looks like.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Units an em.
    pub size: f64,
    pub weight: Weight,
    pub ink: Ink,
    pub anchor: Anchor,
}

impl Look {
    /// A chart's title.
    pub const TITLE: Self = Self {
        size: 20.0,
        weight: Weight::Bold,
        ink: Ink::Text,
        anchor: Anchor::Start,
    };
    /// What a mark is called.
    pub const LABEL: Self = Self {
        size: 16.0,
        weight: Weight::Regular,
        ink: Ink::Text,
        anchor: Anchor::Start,
    };
    /// How to read the chart; axes.
    pub const QUIET: Self = Self {
        size: 15.0,
        weight: Weight::Regular,
        ink: Ink::Quiet,
        anchor: Anchor::Start,
    };

    /// The same in bold.
    pub const fn bold(self) -> Self {
        Self {
            weight: Weight::Bold,
            ..self
        }
    }

    /// The same in another colour.
    pub const fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    /// The same, its middle at its place.
    pub const fn centred(self) -> Self {
        Self {
            anchor: Anchor::Middle,
            ..self
        }
    }

    /// The same, its end at its place.
    pub const fn right(self) -> Self {
        Self {
            anchor: Anchor::End,
            ..self
        }
    }

    /// From one baseline to the next.
    pub fn line_height(self) -> f64 {
        self.size * 1.3
    }
}

/// The width of a text, in units.
pub fn width(text: &str, look: Look) -> f64 {
    /// plotters gives whole numbers, so a large text is measured for a small one.
    const LARGE: f64 = 64.0;
    let style = match look.weight {
        Weight::Regular => FontStyle::Normal,
        Weight::Bold => FontStyle::Bold,
    };
    let measured = (FONT_FAMILY, LARGE * look.size * LINE_PER_EM, style)
        .into_font()
        .layout_box(text)
        .map(|(_, (right, _))| f64::from(right) / LARGE);
    // Without a font nothing gets drawn, and the error comes from there.
    measured.unwrap_or(0.0)
}

/// Lines no wider than `room`, broken between words, and inside of a word that is too long.
pub fn wrap(text: &str, look: Look, room: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    // A number stays with its unit.
    let text = text.replace(" ms", "\u{a0}ms").replace(" %", "\u{a0}%");
    for word in text
        .split([' ', '\n', '\t'])
        .filter(|word| !word.is_empty())
    {
        let longer = if line.is_empty() {
            word.to_owned()
        } else {
            format!("{line} {word}")
        };
        if width(&longer, look) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for letter in word.chars() {
            line.push(letter);
            if width(&line, look) > room && line.chars().count() > 1 {
                line.pop();
                // After a hyphen, if there is one far enough along.
                let end = line.rfind('-').map_or(line.len(), |hyphen| hyphen + 1);
                let end = if end * 2 > line.len() {
                    end
                } else {
                    line.len()
                };
                let rest = line.split_off(end) + &letter.to_string();
                lines.push(std::mem::replace(&mut line, rest));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
        .iter()
        .map(|line| line.replace('\u{a0}', " "))
        .collect()
}

/// The text, shortened with an ellipsis until it fits.
pub fn fit(text: &str, look: Look, room: f64) -> String {
    if width(text, look) <= room {
        return text.to_owned();
    }
    let mut letters: Vec<char> = text.chars().collect();
    while letters.pop().is_some() {
        let short: String = letters.iter().chain(&['…']).collect();
        if width(&short, look) <= room {
            return short;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::super::super::theme::register_fonts;
    use super::*;

    #[test]
    fn wrapped_lines_fit_and_lose_no_letter() {
        register_fonts().unwrap();
        let text = "saves 27 ms [24, 30], the claim says 80 to 120 \
                    and-here-is-a-name-without-any-space-that-is-far-too-long-for-one-line";
        let lines = wrap(text, Look::TITLE, 200.0);
        assert!(lines.iter().all(|line| width(line, Look::TITLE) <= 200.0));
        let letters = |text: &str| text.replace(' ', "");
        assert_eq!(letters(&lines.concat()), letters(text));
    }

    #[test]
    fn a_text_that_fits_is_left_alone_and_a_longer_one_is_shortened() {
        register_fonts().unwrap();
        assert_eq!(fit("warm", Look::LABEL, 500.0), "warm");
        let short = fit(&"x".repeat(200), Look::LABEL, 100.0);
        assert!(short.ends_with('…') && width(&short, Look::LABEL) <= 100.0);
        assert_eq!(fit("warm", Look::LABEL, -1.0), "");
    }

    #[test]
    fn bold_is_wider_than_regular() {
        register_fonts().unwrap();
        assert!(width("warm", Look::LABEL.bold()) > width("warm", Look::LABEL));
    }
}
