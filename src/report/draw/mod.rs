//! A sheet to draw on: a thin layer over plotters' drawing areas that measures text, so that
//! charts can lay themselves out before a single mark is made.
//!
//! Charts are laid out [`WIDTH`] units wide and drawn at two dots a unit, in SVG and PNG alike:
//! plotters' coordinates are whole numbers, and half a unit is as fine as a screen shows.

mod axis;
mod layout;
mod svg;
mod text;

pub use axis::{Labels, Scale, Spacing, round_label};
pub use layout::{swarm, thinned};
pub use svg::{Part, escaped};
pub use text::{Look, Weight, fit, width, wrap};

use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, ShapeStyle, TextStyle};
use svg::{Shared, SvgBackend};
use thiserror::Error;

use super::theme::{FONT_FAMILY, Ink, Theme, register_fonts};

/// The width of every chart, in units. Narrow, as a chart that is as wide as a desk would be
/// unreadable on a phone, where it gets scaled down to a pocket's width.
pub const WIDTH: f64 = 560.0;
/// What stays free at the left and the right.
pub const MARGIN: f64 = 16.0;

/// Dots a unit.
const DENSITY: f64 = 2.0;
/// Of zlib: charts in two thirds of the CPU time that level 6 takes, and a tenth larger.
const DEFLATE_LEVEL: u8 = 3;
/// No coordinate lies further out, however wild the number it came from: plotters computes with
/// 32 bits.
const FAR: f64 = 20_000.0;

/// A chart that could not be drawn.
#[derive(Debug, Error)]
pub enum ChartError {
    /// The fonts inside the binary are damaged.
    #[error("{0}")]
    Font(&'static str),
    /// plotters gave up.
    #[error("cannot draw the chart: {0}")]
    Draw(String),
    /// The picture cannot be packed.
    #[error("cannot encode the chart as PNG: {0}")]
    Encode(#[from] png::EncodingError),
}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for ChartError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self::Draw(error.to_string())
    }
}

/// What is drawn on. SVG is told a text's baseline and its em; plotters' bitmap the text's top and the
/// height of a line.
#[derive(Debug, Clone)]
enum Medium {
    Vector(Shared),
    Raster,
}

impl Medium {
    /// plotters' size for a text of one unit an em.
    fn size(&self) -> f64 {
        match self {
            Self::Vector(_) => 1.0,
            Self::Raster => text::LINE_PER_EM,
        }
    }

    /// From where plotters puts a text to the baseline, in ems.
    fn to_baseline(&self) -> f64 {
        match self {
            Self::Vector(_) => 0.0,
            Self::Raster => text::LINE_PER_EM / 2.0,
        }
    }
}

/// What can be drawn on a sheet of its own.
pub trait Drawing {
    /// How high the sheet must be, in units.
    fn height(&self) -> f64;

    /// Draws itself.
    fn draw<DB: DrawingBackend>(&self, sheet: &Sheet<'_, DB>) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static;
}

/// Draws as an SVG document.
pub fn to_svg(drawing: &impl Drawing, theme: Theme) -> Result<String, ChartError> {
    register_fonts().map_err(ChartError::Font)?;
    let document = Shared::default();
    let size = size(drawing);
    let area = SvgBackend::new(document.clone(), size).into_drawing_area();
    drawing.draw(&Sheet::blank(
        &area,
        theme,
        Medium::Vector(document.clone()),
    )?)?;
    let svg = document.borrow_mut().finish(size);
    Ok(svg)
}

/// Draws as a PNG picture.
pub fn to_png(drawing: &impl Drawing, theme: Theme) -> Result<Vec<u8>, ChartError> {
    register_fonts().map_err(ChartError::Font)?;
    let (width, height) = size(drawing);
    let mut pixels = vec![0; width as usize * height as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut pixels, (width, height)).into_drawing_area();
        drawing.draw(&Sheet::blank(&area, theme, Medium::Raster)?)?;
        area.present()?;
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_deflate_compression(png::DeflateCompression::Level(DEFLATE_LEVEL));
    // Areas of one colour are best packed as they are: a fifth smaller than with the filters for photographs.
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(file)
}

fn size(drawing: &impl Drawing) -> (u32, u32) {
    let dots = |units: f64| (units.clamp(1.0, FAR) * DENSITY).ceil() as u32;
    (dots(WIDTH), dots(drawing.height()))
}

/// How a shape is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    Solid,
    Outline,
}

/// A drawing area with a theme; all coordinates are units from the upper left.
pub struct Sheet<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    theme: Theme,
    medium: Medium,
}

type Drawn = Result<(), ChartError>;

impl<'a, DB: DrawingBackend> Sheet<'a, DB>
where
    DB::ErrorType: 'static,
{
    fn blank(
        area: &'a DrawingArea<DB, Shift>,
        theme: Theme,
        medium: Medium,
    ) -> Result<Self, ChartError> {
        area.fill(&theme.colour(Ink::Background))?;
        Ok(Self {
            area,
            theme,
            medium,
        })
    }

    /// Draws a part of the chart that a page's script finds again.
    ///
    /// # Errors
    /// What the drawing of the part gives.
    pub fn part(&self, part: Part<'_>, draw: impl FnOnce(&Self) -> Drawn) -> Drawn {
        let Medium::Vector(document) = &self.medium else {
            return draw(self);
        };
        document.borrow_mut().open(part, DENSITY);
        let drawn = draw(self);
        document.borrow_mut().close();
        drawn
    }

    fn style(&self, ink: Ink, opacity: f64) -> ShapeStyle {
        ShapeStyle::from(self.theme.colour(ink).mix(opacity))
    }

    /// One line of text, its baseline at `y`. What it stands at with `x` is the look's anchor.
    pub fn text(&self, x: f64, y: f64, text: &str, look: Look) -> Drawn {
        let style = match look.weight {
            Weight::Regular => FontStyle::Normal,
            Weight::Bold => FontStyle::Bold,
        };
        let font = (FONT_FAMILY, look.size * DENSITY * self.medium.size(), style).into_font();
        let anchor = match look.anchor {
            text::Anchor::Start => HPos::Left,
            text::Anchor::Middle => HPos::Center,
            text::Anchor::End => HPos::Right,
        };
        let colour = self.theme.colour(look.ink);
        let style = TextStyle::from(font)
            .color(&colour)
            .pos(Pos::new(anchor, VPos::Top));
        // XML has no place for control characters, and no font a picture of them.
        let text: String = text
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .collect();
        let top = y - self.medium.to_baseline() * look.size;
        self.area
            .draw(&Text::new(text, (dots(x), dots(top)), style))?;
        Ok(())
    }

    /// Lines of text below each other; gives the baseline that a next line would have.
    pub fn lines(&self, x: f64, y: f64, lines: &[String], look: Look) -> Result<f64, ChartError> {
        let mut y = y;
        for line in lines {
            self.text(x, y, line, look)?;
            y += look.line_height();
        }
        Ok(y)
    }

    /// A straight line.
    pub fn line(&self, from: (f64, f64), to: (f64, f64), ink: Ink, width: f64) -> Drawn {
        self.path(&[from, to], ink, width)
    }

    /// A dashed straight line.
    pub fn dashes(&self, from: (f64, f64), to: (f64, f64), ink: Ink, width: f64) -> Drawn {
        const DASH: f64 = 4.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).min(FAR);
        let at = |along: f64| {
            let share = along.min(length) / length;
            (from.0 + share * dx, from.1 + share * dy)
        };
        let mut along = 0.0;
        while along < length {
            self.line(at(along), at(along + DASH), ink, width)?;
            along += 2.0 * DASH;
        }
        Ok(())
    }

    /// Straight lines from point to point.
    pub fn path(&self, points: &[(f64, f64)], ink: Ink, width: f64) -> Drawn {
        let style = self
            .style(ink, 1.0)
            .stroke_width((width * DENSITY).round().max(1.0) as u32);
        self.area.draw(&PathElement::new(
            points.iter().map(place).collect::<Vec<_>>(),
            style,
        ))?;
        Ok(())
    }

    /// Samples, one a place. Those that lie beyond an axis become rings, at its end. Nothing else is
    /// drawn as a circle.
    pub fn dots(&self, places: &[((f64, f64), Fill)], radius: f64, ink: Ink) -> Drawn {
        let style = self.style(ink, 0.75).filled();
        let circle = |centre, radius: f64, style: ShapeStyle| {
            let radius = (radius * DENSITY).round() as i32;
            self.area
                .draw(&Circle::new(place(&centre), radius.max(1), style))
        };
        for (centre, _) in places {
            circle(*centre, radius, style)?;
        }
        // Holes afterwards, so that all samples stay in the order of their series.
        let hole = self.style(Ink::Background, 1.0).filled();
        for (centre, _) in places.iter().filter(|(_, fill)| *fill == Fill::Outline) {
            circle(*centre, radius - 1.25, hole)?;
        }
        Ok(())
    }

    /// A filled rectangle between two corners.
    pub fn rectangle(&self, one: (f64, f64), other: (f64, f64), ink: Ink, opacity: f64) -> Drawn {
        // A negative width is an error in SVG, and a zero one is nothing to be seen.
        let left = dots(one.0.min(other.0));
        let right = dots(one.0.max(other.0)).max(left + 1);
        let top = dots(one.1.min(other.1));
        let bottom = dots(one.1.max(other.1)).max(top + 1);
        let style = self.style(ink, opacity).filled();
        self.area
            .draw(&Rectangle::new([(left, top), (right, bottom)], style))?;
        Ok(())
    }

    /// A filled polygon.
    pub fn polygon(&self, corners: &[(f64, f64)], ink: Ink, opacity: f64) -> Drawn {
        let corners: Vec<_> = corners.iter().map(place).collect();
        self.area
            .draw(&Polygon::new(corners, self.style(ink, opacity)))?;
        Ok(())
    }

    /// An estimate: a diamond on its interval's bar.
    pub fn estimate(&self, at: (f64, f64), ends: Option<(f64, f64)>, ink: Ink) -> Drawn {
        let (x, y) = at;
        if let Some((low, high)) = ends {
            self.rectangle((low, y - 1.5), (high, y + 1.5), ink, 1.0)?;
            for end in [low, high] {
                self.rectangle((end - 0.75, y - 8.0), (end + 0.75, y + 8.0), ink, 1.0)?;
            }
        }
        // Small enough for a narrow interval's ends to be seen.
        let diamond = |r: f64| [(x - r, y), (x, y - r), (x + r, y), (x, y + r)];
        self.polygon(&diamond(6.0), Ink::Background, 1.0)?;
        self.polygon(&diamond(4.5), ink, 1.0)
    }

    /// A failed launch: a cross.
    pub fn cross(&self, at: (f64, f64), ink: Ink) -> Drawn {
        let (x, y) = at;
        let r = 4.0;
        self.line((x - r, y - r), (x + r, y + r), ink, 1.5)?;
        self.line((x - r, y + r), (x + r, y - r), ink, 1.5)
    }
}

fn dots(units: f64) -> i32 {
    // Not a number becomes 0: `as` has no undefined results.
    (units * DENSITY).round().clamp(-FAR, FAR) as i32
}

fn place(point: &(f64, f64)) -> (i32, i32) {
    (dots(point.0), dots(point.1))
}
