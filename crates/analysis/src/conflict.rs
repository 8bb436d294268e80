use crate::graph::{Edge, Graph};
use crate::trace::Trace;

/// A step that needs what an earlier step of its block changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The step.
    pub step: usize,
    /// Its need, and the location.
    pub edge: Edge,
}

/// All conflicts within blocks, in the order of steps.
pub fn conflicts<'a>(trace: &'a Trace, graph: &'a Graph) -> impl Iterator<Item = Conflict> + 'a {
    let steps = trace.steps.iter().zip(&graph.edges).enumerate();
    steps.flat_map(|(step, (traced, edges))| {
        let start = trace.blocks[traced.block].steps.start;
        edges.iter().filter(move |edge| edge.on >= start).map(move |edge| Conflict { step, edge: *edge })
    })
}
