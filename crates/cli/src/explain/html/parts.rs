//! The common parts of several sections of the page.

use super::markup::{Attribute, Markup, tag, tagged, text};

/// A part of the page.
pub(super) fn section(id: &str, title: &str, lead: &str, content: Markup) -> Markup {
    let content =
        Markup::from_iter([tagged("h2", &[], title), tagged("p", &[("class", &"lead")], lead), content]);
    tag("section", &[("id", &id)], content)
}

/// A chart with its caption.
pub(super) fn figure(id: &str, caption: &str, content: Markup) -> Markup {
    let content = Markup::from_iter([tagged("figcaption", &[], caption), content]);
    tag("figure", &[("id", &id), ("data-chart", &id)], content)
}

/// A drawing with a text for readers that do not see it.
pub(super) fn svg(
    id: &str,
    attributes: &[Attribute<'_>],
    title: &str,
    description: &str,
    content: Markup,
) -> Markup {
    let (title_id, description_id) = (format!("{id}-title"), format!("{id}-desc"));
    let labels = format!("{title_id} {description_id}");
    let mut all: Vec<Attribute<'_>> = vec![("role", &"img"), ("aria-labelledby", &labels)];
    all.extend(attributes);
    let content = Markup::from_iter([
        tagged("title", &[("id", &title_id)], title),
        tagged("desc", &[("id", &description_id)], description),
        content,
    ]);
    tag("svg", &all, content)
}

/// A row of a chart that is drawn as wide as there is room for: `columns` units, each of which may hold something.
pub(super) fn strip(id: &str, columns: usize, title: &str, description: &str, content: Markup) -> Markup {
    let view = format!("0 0 {} 10", columns.max(1));
    let attributes: [Attribute<'_>; 3] =
        [("class", &"strip"), ("viewBox", &view), ("preserveAspectRatio", &"none")];
    svg(id, &attributes, title, description, content)
}

/// A rectangle that stands on the floor of a strip, with what it says when pointed at.
pub(super) fn block(x: f64, width: f64, height: f64, class: &str, says: &str) -> Markup {
    let (y, x, width) = (10.0 - height, format!("{x:.3}"), format!("{width:.3}"));
    tag(
        "rect",
        &[("x", &x), ("y", &y), ("width", &width), ("height", &height), ("class", &class)],
        tagged("title", &[], says),
    )
}

/// Colours: class and meaning.
pub(super) fn legend(entries: &[(&str, &str)]) -> Markup {
    let entry = |(class, meaning): &(&str, &str)| {
        let swatch = tag("rect", &[("width", &12), ("height", &12), ("class", class)], Markup::new());
        let swatch =
            tag("svg", &[("class", &"swatch"), ("viewBox", &"0 0 12 12"), ("aria-hidden", &"true")], swatch);
        tag("li", &[], Markup::from_iter([swatch, text(meaning)]))
    };
    tag("ul", &[("class", &"legend")], entries.iter().map(entry).collect())
}

/// Marks below a chart, at equal distances.
pub(super) fn axis(marks: &[String]) -> Markup {
    let marks = marks.iter().map(|mark| tagged("span", &[], mark)).collect();
    tag("div", &[("class", &"axis"), ("aria-hidden", &"true")], marks)
}
