//! SVG for plotters to draw on, made to live in a page.
//!
//! plotters' own backend writes a hundred bytes for every dot and knows no groups. A page that shows
//! each of ten thousand launches twice must do with a tenth of that, and its script must find a
//! scenario's marks again. So dots of one kind are one path, with a stretch of no length and round
//! ends for each dot, in the order in which they were drawn; and what belongs together is a `g`.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::rc::Rc;

use plotters::style::FontStyle;
use plotters::style::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

use super::super::theme::FONT_FAMILY;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// A part of a chart that a page's script finds again.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// A row, which can be left out: the rows below it move up by its height in units. It belongs to
    /// scenarios by their place in the suite, and its dots to a series by the row's number.
    Row {
        row: usize,
        of: &'a [usize],
        height: f64,
    },
    /// Marks that can be left out, and leave their room empty.
    Marks { row: usize, of: &'a [usize] },
    /// What stands below all rows.
    Foot,
}

/// What has been drawn so far.
#[derive(Debug, Default)]
pub struct Document {
    body: String,
    /// Dots that wait for more of their kind: what they look like, and their places.
    dots: Option<(String, String)>,
}

/// Shared by plotters, which draws, and by the sheet, which opens and closes groups.
pub type Shared = Rc<RefCell<Document>>;

impl Document {
    /// Opens a group.
    pub fn open(&mut self, part: Part<'_>, density: f64) {
        self.settle();
        let _ = match part {
            Part::Row { row, of, height } => writeln!(
                self.body,
                "<g class=\"row\" data-row=\"{row}\" data-of=\"{}\" data-height=\"{}\">",
                places(of),
                height * density
            ),
            Part::Marks { row, of } => writeln!(
                self.body,
                "<g class=\"marks\" data-row=\"{row}\" data-of=\"{}\">",
                places(of)
            ),
            Part::Foot => writeln!(self.body, "<g class=\"foot\">"),
        };
    }

    /// Closes it.
    pub fn close(&mut self) {
        self.settle();
        self.body.push_str("</g>\n");
    }

    /// The whole document.
    pub fn finish(&mut self, (width, height): (u32, u32)) -> String {
        self.settle();
        format!(
            "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             xmlns=\"http://www.w3.org/2000/svg\" font-family=\"{FONT_FAMILY}\">\n{}</svg>\n",
            self.body
        )
    }

    /// Writes the dots that wait.
    fn settle(&mut self) {
        if let Some((look, path)) = self.dots.take() {
            let _ = writeln!(self.body, "<path {look} d=\"{path}\"/>");
        }
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        self.settle();
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }
}

fn places(of: &[usize]) -> String {
    let words: Vec<String> = of.iter().map(usize::to_string).collect();
    words.join(" ")
}

/// plotters' way into a document.
pub struct SvgBackend {
    document: Shared,
    size: (u32, u32),
}

impl SvgBackend {
    /// Draws into a document.
    pub fn new(document: Shared, size: (u32, u32)) -> Self {
        Self { document, size }
    }

    fn put(&self, element: std::fmt::Arguments<'_>) -> Drawn {
        self.document.borrow_mut().element(element);
        Ok(())
    }
}

fn hex(BackendColor { rgb: (r, g, b), .. }: BackendColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// Written only where something shows through.
fn opacity(name: &str, colour: BackendColor) -> String {
    match colour.alpha < 1.0 {
        true => format!(" {name}=\"{}\"", colour.alpha),
        false => String::new(),
    }
}

fn points(path: impl IntoIterator<Item = BackendCoord>) -> String {
    let points: Vec<String> = path.into_iter().map(|(x, y)| format!("{x},{y}")).collect();
    points.join(" ")
}

impl DrawingBackend for SvgBackend {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        self.put(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"1\" height=\"1\" fill=\"{}\"{}/>",
            hex(colour),
            opacity("opacity", colour)
        ))
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        (x1, y1): BackendCoord,
        (x2, y2): BackendCoord,
        style: &S,
    ) -> Drawn {
        self.put(format_args!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{}\" stroke-width=\"{}\"{}/>",
            hex(style.color()),
            style.stroke_width(),
            opacity("opacity", style.color())
        ))
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        (right, bottom): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let colour = style.color();
        let look = match fill {
            true => format!("fill=\"{}\"", hex(colour)),
            false => format!("fill=\"none\" stroke=\"{}\"", hex(colour)),
        };
        self.put(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" {look}{}/>",
            right - x,
            bottom - y,
            opacity("opacity", colour)
        ))
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        self.put(format_args!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{}/>",
            points(path),
            hex(style.color()),
            style.stroke_width(),
            opacity("opacity", style.color())
        ))
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        (x, y): BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let colour = style.color();
        if !fill {
            return self.put(format_args!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{}/>",
                hex(colour),
                style.stroke_width(),
                opacity("opacity", colour)
            ));
        }
        let look = format!(
            "class=\"dots\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linecap=\"round\"{}",
            hex(colour),
            2 * radius,
            opacity("stroke-opacity", colour)
        );
        let mut document = self.document.borrow_mut();
        if document.dots.as_ref().is_none_or(|(of, _)| *of != look) {
            document.settle();
        }
        let (_, path) = document.dots.get_or_insert((look, String::new()));
        let _ = write!(path, "M{x} {y}h0");
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        self.put(format_args!(
            "<polygon points=\"{}\" fill=\"{}\"{}/>",
            points(path),
            hex(style.color()),
            opacity("opacity", style.color())
        ))
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => " text-anchor=\"middle\"",
            HPos::Right => " text-anchor=\"end\"",
        };
        let weight = match style.style() {
            FontStyle::Bold => " font-weight=\"bold\"",
            _ => "",
        };
        self.put(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" fill=\"{}\"{anchor}{weight}>{}</text>",
            style.size(),
            hex(style.color()),
            escaped(text)
        ))
    }
}

/// Text that stays text in XML, in and out of attributes.
pub fn escaped(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            // Not allowed in XML, not even escaped.
            control if control.is_control() => " ".to_owned(),
            other => other.to_string(),
        })
        .collect()
}
