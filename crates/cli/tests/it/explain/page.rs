//! The page: well-formed, complete, and nothing in it from elsewhere.

use super::{explain, generate};
use roxmltree::{Document, Node, ParsingOptions};
use std::collections::HashSet;
use std::path::Path;

/// All charts of a page.
const CHARTS: [&str; 9] = [
    "curves-blocks",
    "curves-stream",
    "what-if-contracts",
    "what-if-together",
    "what-if-locations",
    "heat-blocks",
    "heat-transactions",
    "chain-links",
    "timeline",
];

fn page_of(folder: &Path, file: &Path) -> String {
    explain(folder, &["--html", file.to_str().expect("a path in UTF-8")]);
    std::fs::read_to_string(file).expect("a page")
}

fn parse(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).expect("well-formed")
}

fn elements<'a>(node: Node<'a, 'a>, name: &'static str) -> impl Iterator<Item = Node<'a, 'a>> {
    node.descendants().filter(move |node| node.has_tag_name(name))
}

#[test]
fn a_page_has_all_charts_and_says_what_they_show() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // A name that would be markup.
    let blocks = folder.path().join("<b>&\"'");
    std::fs::create_dir(&blocks).expect("a folder");
    generate("nft", &blocks);
    let page = page_of(&blocks, &folder.path().join("page.html"));
    let document = parse(&page);
    let root = document.root_element();
    for chart in CHARTS {
        let figure = elements(root, "figure").find(|figure| figure.attribute("data-chart") == Some(chart));
        let figure = figure.unwrap_or_else(|| panic!("no {chart}"));
        assert!(elements(figure, "figcaption").any(|caption| caption.text().is_some()), "{chart}");
        let drawings: Vec<_> =
            elements(figure, "svg").filter(|svg| svg.attribute("role") == Some("img")).collect();
        assert!(!drawings.is_empty(), "{chart} has no drawing");
        let shapes = drawings.iter().flat_map(|svg| svg.descendants());
        assert!(
            shapes.filter(|node| node.has_tag_name("rect") || node.has_tag_name("polyline")).count() > 0,
            "{chart}"
        );
        for drawing in drawings {
            let children = |name| drawing.children().filter(|node| node.has_tag_name(name)).count();
            assert_eq!((children("title"), children("desc")), (1, 1), "{chart}");
        }
    }
    // Six models in each of two charts, seven points each.
    assert_eq!(
        elements(root, "polyline")
            .filter(|line| line.parent().is_some_and(|svg| svg.attribute("class") == Some("plot")))
            .count(),
        12
    );
    assert_eq!(elements(root, "polygon").count(), 2 * 6 * 7 + 6);
    assert!(page.contains("nextId (slot 2) in collection 0"), "the cause is named");
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("width=device-width"));
}

#[test]
fn a_page_needs_nothing_from_elsewhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    generate("zipf", folder.path());
    let page = page_of(folder.path(), &folder.path().join("page.html"));
    let document = parse(&page);
    let mut ids = HashSet::new();
    for node in document.descendants().filter(Node::is_element) {
        assert!(!["script", "link", "img", "iframe", "object"].contains(&node.tag_name().name()), "{node:?}");
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!["src", "href", "style", "action", "srcset"].contains(&name), "{node:?}");
            assert!(name != "id" || ids.insert(value), "{value} is there twice");
        }
    }
    for outside in ["http:", "https:", "url(", "@import", "//"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let referred = document.descendants().filter_map(|node| node.attribute("aria-labelledby"));
    for id in referred.flat_map(str::split_whitespace) {
        assert!(ids.contains(id), "{id} is nowhere");
    }
}
