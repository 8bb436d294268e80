//! The longest chain.

use super::markup::{Markup, tag, tagged};
use super::parts::{self, axis, block, figure, strip};
use crate::explain::findings::{Chain, Findings, Link};

/// Links that are listed; the others can be had as JSON.
const LINKS: usize = 40;
/// The drawing's width in units.
const WIDTH: f64 = 1000.0;

pub(super) fn section(findings: &Findings) -> Markup {
    let chain = &findings.chain;
    let percent = 100.0 * chain.ms / chain.block_ms.max(1e-9);
    let lead = format!(
        "{} steps of {}, each of which needs the one before, take {:.3} of the block's {:.3} ms ({percent:.0}%). However many \
         threads there are, the block takes no less, unless results are repaired.",
        chain.links.len(),
        chain.block,
        chain.ms,
        chain.block_ms
    );
    parts::section("chain", "Longest chain", &lead, drawing(chain))
}

fn drawing(chain: &Chain) -> Markup {
    let scale = WIDTH / chain.block_ms.max(1e-9);
    let mut at = 0.0;
    let mut bars = Markup::new();
    for (index, link) in chain.links.iter().enumerate() {
        let says = format!("{}: {:.3} ms", link.step, link.ms);
        let (class, height) = if index % 2 == 0 { ("link-even", 10.0) } else { ("link-odd", 8.0) };
        bars.add(block(at * scale, link.ms * scale, height, class, &says));
        at += link.ms;
    }
    let description =
        format!("The chain's {} steps one after another, beside all of the block's time.", chain.links.len());
    let drawing = strip("chain-time", WIDTH as usize, "Time of the chain", &description, bars);
    let list = tag("ol", &[("class", &"links")], chain.links.iter().take(LINKS).map(link).collect());
    let more = chain.links.len().saturating_sub(LINKS);
    let more = match more {
        0 => Markup::new(),
        more => tagged("p", &[], format!("And {more} more; --json lists all.")),
    };
    let marks = ["0".to_owned(), format!("{:.3} ms: the block one by one", chain.block_ms)];
    let content = Markup::from_iter([drawing, axis(&marks), list, more]);
    figure("chain-links", "The chain within the block's time", content)
}

fn link(link: &Link) -> Markup {
    let mut parts = Markup::from_iter([
        tagged("strong", &[], &link.step),
        tagged("span", &[("class", &"ms")], format!("{:.3} ms", link.ms)),
    ]);
    if let Some(hash) = &link.hash {
        parts.add(tagged("code", &[], hash));
    }
    if let Some(by) = &link.by {
        parts.add(tagged("span", &[("class", &"by")], format!("needs the one before for {by}")));
    }
    tag("li", &[], parts)
}
