//! Markup that is well-formed and escaped by construction, as XML and as HTML.

use std::fmt::{Display, Write};

/// Elements and text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Markup(String);

/// An attribute's name and value.
pub(super) type Attribute<'a> = (&'a str, &'a dyn Display);

/// Elements that HTML has no end tags for.
const VOID: [&str; 2] = ["meta", "br"];

impl Markup {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Appends.
    pub(super) fn add(&mut self, other: Self) {
        self.0.extend([other.0]);
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromIterator<Markup> for Markup {
    fn from_iter<I: IntoIterator<Item = Self>>(parts: I) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect())
    }
}

/// Text, escaped.
pub(super) fn text(content: impl Display) -> Markup {
    let mut escaped = String::new();
    escape(&mut escaped, &content.to_string());
    Markup(escaped)
}

/// A style sheet, which must not hold its own end.
pub(super) fn style(sheet: &str) -> Markup {
    Markup(format!("<style>{}</style>", sheet.replace("</", "<\\/")))
}

/// An element.
pub(super) fn tag(name: &str, attributes: &[Attribute<'_>], content: Markup) -> Markup {
    let mut markup = format!("<{name}");
    for (attribute, value) in attributes {
        // Writing to a string does not fail.
        let _ = write!(markup, " {attribute}=\"");
        escape(&mut markup, &value.to_string());
        markup.push('"');
    }
    if VOID.contains(&name) {
        markup.push_str("/>");
        return Markup(markup);
    }
    markup.push('>');
    let mut inside = content.0;
    inside.insert_str(0, &markup);
    let _ = write!(inside, "</{name}>");
    Markup(inside)
}

/// An element with text.
pub(super) fn tagged(name: &str, attributes: &[Attribute<'_>], content: impl Display) -> Markup {
    tag(name, attributes, text(content))
}

fn escape(out: &mut String, content: &str) {
    for letter in content.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Neither XML nor HTML can have these.
            '\n' | '\t' => out.push(' '),
            control if control.is_control() => out.push('\u{fffd}'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{tag, tagged, text};

    #[test]
    fn what_markup_is_made_of_is_escaped_in_text() {
        let name = "<b a='\"'>&\u{1}";
        let escaped = "&lt;b a=&#39;&quot;&#39;&gt;&amp;\u{fffd}";
        assert_eq!(text(name).as_str(), escaped);
        assert_eq!(tagged("i", &[("id", &name)], 1).as_str(), format!("<i id=\"{escaped}\">1</i>"));
    }

    #[test]
    fn elements_without_content_end_as_html_has_it() {
        assert_eq!(tag("p", &[], text("")).as_str(), "<p></p>");
        assert_eq!(tag("br", &[], text("")).as_str(), "<br/>");
    }
}
