//! The columns, which docs/EXPLAIN.md describes.

use super::table::{Column, Values};
use crate::explain::analysis::Analysis;
use std::collections::BTreeSet;
use tandem_analysis::{StateKey, Step, Trace, conflicts as all_conflicts};
use tandem_evm::{Field, StepPart, TransactionTrace};

/// A row for each transaction.
pub(super) fn transactions(analysis: &Analysis<'_>) -> Vec<Column> {
    let Analysis { trace, graph, .. } = *analysis;
    let steps: Vec<(usize, &Step, &TransactionTrace)> = (trace.steps.iter().enumerate())
        .filter_map(|(index, step)| Some((index, step, step.transaction.as_ref()?)))
        .collect();
    let count = |count: &dyn Fn(usize, &Step, &TransactionTrace) -> i64| {
        Values::Count(steps.iter().map(|(index, step, tx)| count(*index, step, tx)).collect())
    };
    let text = |text: &dyn Fn(&TransactionTrace) -> String| {
        Values::Text(steps.iter().map(|(_, _, tx)| text(tx)).collect())
    };
    let optional_text = |text: &dyn Fn(&TransactionTrace) -> Option<String>| {
        Values::OptionalText(steps.iter().map(|(_, _, tx)| text(tx)).collect())
    };
    let flag = |flag: &dyn Fn(&Step, &TransactionTrace) -> bool| {
        Values::Flag(steps.iter().map(|(_, step, tx)| flag(step, tx)).collect())
    };
    // By step.
    let needs: Vec<BTreeSet<usize>> = (trace.steps.iter().zip(&graph.edges))
        .map(|(step, edges)| {
            let start = trace.blocks[step.block].steps.start;
            edges.iter().map(|edge| edge.on).filter(|on| *on >= start).collect()
        })
        .collect();
    let ends: Vec<_> =
        trace.blocks.iter().flat_map(|block| graph.chain_ends(trace, block.steps.clone())).collect();
    let distance = |index: usize| needs[index].last().map(|nearest| (index - nearest) as i64);
    let distances = steps.iter().map(|(index, ..)| distance(*index)).collect();
    let us = |time: std::time::Duration| time.as_secs_f64() * 1e6;
    let columns = [
        (
            "block",
            Values::Text(steps.iter().map(|(_, step, _)| trace.blocks[step.block].name.clone()).collect()),
        ),
        ("number", count(&|_, step, _| trace.blocks[step.block].number as i64)),
        ("index", count(&|_, step, _| index_in_block(step).unwrap_or_default())),
        ("hash", text(&|tx| tx.hash.to_string())),
        ("type", count(&|_, _, tx| i64::from(tx.tx_type))),
        ("sender", text(&|tx| tx.sender.to_string())),
        ("recipient", optional_text(&|tx| tx.recipient.map(|recipient| recipient.to_string()))),
        ("selector", optional_text(&selector)),
        ("success", flag(&|_, tx| tx.success)),
        ("gas_used", count(&|_, _, tx| tx.gas_used as i64)),
        ("time_us", Values::Real(steps.iter().map(|(_, step, _)| us(step.time)).collect())),
        ("reads", count(&|_, step, _| step.reads.len() as i64)),
        ("writes", count(&|_, step, _| step.writes.len() as i64)),
        ("dependent", Values::Flag(steps.iter().map(|(index, ..)| !needs[*index].is_empty()).collect())),
        ("keeps_path", flag(&|step, _| step.keeps_path)),
        ("needs", count(&|index, _, _| needs[index].len() as i64)),
        ("distance", Values::OptionalCount(distances)),
        ("chain_length", count(&|index, _, _| ends[index].length as i64)),
        ("chain_us", Values::Real(steps.iter().map(|(index, ..)| us(ends[*index].time)).collect())),
    ];
    columns.into_iter().map(|(name, values)| Column { name, values }).collect()
}

/// The function that is called, as far as the input has room for one.
fn selector(transaction: &TransactionTrace) -> Option<String> {
    let selector = transaction.input.get(..4).filter(|_| transaction.recipient.is_some())?;
    Some(alloy_primitives::hex::encode_prefixed(selector))
}

/// `None` for a block's start and end.
fn index_in_block(step: &Step) -> Option<i64> {
    match step.part {
        StepPart::Transaction(index) => Some(index as i64),
        StepPart::Start | StepPart::End => None,
    }
}

/// A row for each change that a step needs.
pub(super) fn conflicts(analysis: &Analysis<'_>) -> Vec<Column> {
    let Analysis { trace, graph, names, .. } = analysis;
    let conflicts: Vec<_> = all_conflicts(trace, graph).collect();
    let key = |location| StateKey::from(trace.location(location));
    let state_keys: Vec<StateKey> = conflicts.iter().map(|conflict| key(conflict.edge.location)).collect();
    let index = |step: &dyn Fn(usize) -> usize| {
        let of = |at| index_in_block(&trace.steps[step(at)]);
        Values::OptionalCount((0..conflicts.len()).map(of).collect())
    };
    let hash = |step: &dyn Fn(usize) -> usize| {
        Values::OptionalText((0..conflicts.len()).map(|at| hash_of(trace, step(at))).collect())
    };
    let (step, on) = (|at: usize| conflicts[at].step, |at: usize| conflicts[at].edge.on);
    let block = |at: usize| &trace.blocks[trace.steps[step(at)].block];
    let columns = [
        ("block", Values::Text((0..conflicts.len()).map(|at| block(at).name.clone()).collect())),
        ("number", Values::Count((0..conflicts.len()).map(|at| block(at).number as i64).collect())),
        ("index", index(&step)),
        ("hash", hash(&step)),
        ("on_index", index(&on)),
        ("on_hash", hash(&on)),
        ("distance", Values::Count((0..conflicts.len()).map(|at| (step(at) - on(at)) as i64).collect())),
        ("address", Values::Text(state_keys.iter().map(|key| key.address.to_string()).collect())),
        ("field", Values::Text(state_keys.iter().map(|key| field(key.field).to_owned()).collect())),
        ("slot", Values::OptionalText(state_keys.iter().map(|key| slot(key.field)).collect())),
        ("name", Values::Text(state_keys.iter().map(|key| names.state_key(*key)).collect())),
    ];
    columns.into_iter().map(|(name, values)| Column { name, values }).collect()
}

fn hash_of(trace: &Trace, step: usize) -> Option<String> {
    trace.steps[step].transaction.as_ref().map(|transaction| transaction.hash.to_string())
}

fn field(field: Field) -> &'static str {
    match field {
        Field::Balance => "balance",
        Field::Nonce => "nonce",
        Field::Code => "code",
        Field::Existence => "existence",
        Field::Generation => "storage",
        Field::Slot { .. } => "slot",
    }
}

fn slot(field: Field) -> Option<String> {
    match field {
        Field::Slot { slot, .. } => Some(format!("{slot:#066x}")),
        _ => None,
    }
}
