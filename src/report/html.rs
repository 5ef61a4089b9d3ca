//! What all pages have in common: a head, and data for a script.
//!
//! A page is one file that needs nothing from elsewhere, and its policy forbids to fetch anything. The
//! one script that may run is named there by its hash: whatever a suite, a record or an app's modules
//! are called, no other one would.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::theme::dark_css;

const STYLE: &str = include_str!("page.css");

/// The head of a page, with the style that is its own besides that of all pages, and the script that
/// its body ends with.
pub fn head(title: &str, style: &str, script: &str) -> Markup {
    let dark = format!(
        "@media screen and (prefers-color-scheme: dark) {{\n{}}}\n",
        dark_css()
    );
    let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; base-uri 'none'; \
         form-action 'none'"
    );
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) }
            style { (PreEscaped(STYLE)) (PreEscaped(style)) (PreEscaped(dark)) }
        }
    }
}

/// The end of a page's body: the data of its script, and the script.
pub fn script(id: &str, data: &Value, script: &str) -> Markup {
    // JSON has `<` in strings only; without it nothing in there can end the element.
    let data = data.to_string().replace('<', "\\u003c");
    html! {
        script type="application/json" id=(id) { (PreEscaped(data)) }
        script { (PreEscaped(script)) }
    }
}

/// Scenarios by their places in the suite, as pages' scripts know them.
pub fn places(of: &[usize]) -> Option<String> {
    let words: Vec<String> = of.iter().map(usize::to_string).collect();
    (!words.is_empty()).then(|| words.join(" "))
}
