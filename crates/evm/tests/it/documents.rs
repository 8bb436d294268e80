//! What documents quote is what is compiled.

use std::path::Path;

#[test]
fn the_guide_for_embedders_has_the_program_of_the_example() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).unwrap();
    let (guide, example) = (read("../../docs/EMBED.md"), read("examples/embed.rs"));
    // All but the example's first comment.
    let (_, program) = example.split_once("\n\n").unwrap();
    assert!(guide.contains(&format!("```rust\n{program}```")), "docs/EMBED.md quotes another program");
}
