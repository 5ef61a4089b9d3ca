//! Colours and fonts.
//!
//! The hues are those of Okabe and Ito (2008), which people with any of the common colour-vision
//! deficiencies can tell apart, darkened or lightened until each has a contrast of at least
//! 3 : 1 with its background. No chart says anything by colour alone.

use std::sync::OnceLock;

use plotters::style::{FontStyle, RGBColor, register_font};

/// Black on white, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

/// What a colour is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Background,
    /// Titles and figures.
    Text,
    /// Axis labels and captions.
    Quiet,
    /// Grid lines.
    Faint,
    /// A claim's band.
    Band,
    /// A scenario, by its place in the suite.
    Scenario(usize),
}

/// The light and the dark colour of everything; the light ones differ from each other, as
/// [`dark_css`] tells them apart by their value.
const PAIRS: [(Ink, u32, u32); 12] = [
    (Ink::Background, 0xFF_FF_FF, 0x17_1A_1F),
    (Ink::Text, 0x1C_1E_21, 0xEC_EE_F1),
    (Ink::Quiet, 0x55_5B_63, 0xA9_B1_BC),
    (Ink::Faint, 0xD9_DC_E0, 0x3A_40_49),
    (Ink::Band, 0xB0_7A_00, 0xE3_B3_41),
    (Ink::Scenario(0), 0x00_72_B2, 0x56_B4_E9),
    (Ink::Scenario(1), 0xC6_50_00, 0xF0_8C_4E),
    (Ink::Scenario(2), 0x00_80_5F, 0x2F_C3_98),
    (Ink::Scenario(3), 0xA8_50_8A, 0xE4_9C_C8),
    (Ink::Scenario(4), 0x86_6A_00, 0xE6_C8_4B),
    (Ink::Scenario(5), 0x30_8D_BF, 0xA6_DA_F7),
    (Ink::Scenario(6), 0x6A_6A_6A, 0xBE_BE_BE),
];

const SCENARIOS: usize = 7;

impl Theme {
    pub(super) fn colour(self, ink: Ink) -> RGBColor {
        let ink = match ink {
            Ink::Scenario(index) => Ink::Scenario(index % SCENARIOS),
            other => other,
        };
        let (_, light, dark) = PAIRS
            .into_iter()
            .find(|(each, _, _)| *each == ink)
            .unwrap_or(PAIRS[1]);
        let [_, red, green, blue] = match self {
            Self::Light => light,
            Self::Dark => dark,
        }
        .to_be_bytes();
        RGBColor(red, green, blue)
    }
}

/// Rules that turn a chart drawn in the light theme into the dark one, for an SVG element of
/// class `chart`. A style rule wins over the attributes in which plotters writes its colours,
/// so one drawing serves both themes.
pub fn dark_css() -> String {
    PAIRS
        .iter()
        .map(|(_, light, dark)| {
            format!(
                ".chart [fill=\"#{light:06X}\"]{{fill:#{dark:06X}}}\
                 .chart [stroke=\"#{light:06X}\"]{{stroke:#{dark:06X}}}\n"
            )
        })
        .collect()
}

/// The family under which the embedded fonts are known to plotters. In an SVG it stands as it
/// is, where it lists what may replace the first: Verdana has the same widths, and what comes
/// after it is narrower.
pub const FONT_FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

const REGULAR: &[u8] = include_bytes!("fonts/DejaVuSans.ttf");
const BOLD: &[u8] = include_bytes!("fonts/DejaVuSans-Bold.ttf");

/// Makes the embedded fonts known to plotters. Afterwards no font of the system is needed.
pub fn register_fonts() -> Result<(), &'static str> {
    static REGISTERED: OnceLock<bool> = OnceLock::new();
    let registered = *REGISTERED.get_or_init(|| {
        register_font(FONT_FAMILY, FontStyle::Normal, REGULAR).is_ok()
            && register_font(FONT_FAMILY, FontStyle::Bold, BOLD).is_ok()
    });
    if registered {
        Ok(())
    } else {
        Err("the embedded fonts cannot be read")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(RGBColor(red, green, blue): RGBColor) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    #[test]
    fn every_scenario_stands_out_from_its_background() {
        for theme in [Theme::Light, Theme::Dark] {
            let background = luminance(theme.colour(Ink::Background));
            let contrast = |ink| {
                let ink = luminance(theme.colour(ink));
                (ink.max(background) + 0.05) / (ink.min(background) + 0.05)
            };
            for index in 0..SCENARIOS {
                assert!(contrast(Ink::Scenario(index)) >= 3.0, "{theme:?} {index}");
            }
            assert!(contrast(Ink::Text) >= 7.0);
            assert!(contrast(Ink::Quiet) >= 4.5);
        }
    }

    #[test]
    fn light_colours_differ_so_that_style_rules_can_tell_them_apart() {
        for (index, (_, light, _)) in PAIRS.iter().enumerate() {
            assert!(PAIRS[..index].iter().all(|(_, other, _)| other != light));
        }
    }

    #[test]
    fn a_scenario_keeps_its_colour_and_any_number_of_them_has_one() {
        let theme = Theme::Light;
        assert_eq!(
            theme.colour(Ink::Scenario(3)),
            theme.colour(Ink::Scenario(3 + SCENARIOS))
        );
    }

    #[test]
    fn the_embedded_fonts_can_be_read() {
        assert_eq!(register_fonts(), Ok(()));
    }
}
