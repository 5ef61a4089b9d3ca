//! A font for criterion's plots.

use plotters::style::{FontStyle, register_font};

/// criterion draws with the plotters that the report uses, built without the system's fonts, and
/// panics where it finds none.
pub fn register() {
    let font = include_bytes!("../../src/report/fonts/DejaVuSans.ttf");
    for style in [FontStyle::Normal, FontStyle::Bold] {
        assert!(
            register_font("sans-serif", style, font).is_ok(),
            "the embedded font is whole"
        );
    }
}
