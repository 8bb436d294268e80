//! Random programs.

use super::{Op, Step, step};
use proptest::collection::vec;
use proptest::prelude::*;
use std::ops::Range;

fn op(keys: u8) -> impl Strategy<Value = Op> {
    let key = move || 0..keys;
    let slot = || 0..2_u8;
    prop_oneof![
        4 => key().prop_map(Op::Read),
        3 => (key(), -30..30_i64).prop_map(|(key, amount)| Op::Add(key, amount)),
        2 => (key(), -30..30_i64).prop_map(|(key, amount)| Op::Pay(key, amount)),
        2 => (key(), prop_oneof![Just(-1), Just(1)]).prop_map(|(key, sign)| Op::AddAcc(key, sign)),
        3 => (key(), 0..60_i64).prop_map(|(key, bound)| Op::Require(key, bound)),
        2 => (key(), -2..3_i64).prop_map(|(key, plus)| Op::Write(key, plus)),
        1 => key().prop_map(Op::Wipe),
        1 => key().prop_map(Op::Create),
        2 => (key(), slot()).prop_map(|(owner, slot)| Op::ReadSlot(owner, slot)),
        2 => (key(), slot(), 0..3_i64).prop_map(|(owner, slot, plus)| Op::WriteSlot(owner, slot, plus)),
        1 => (key(), key()).prop_map(|(from, to)| Op::Sweep(from, to)),
        1 => (0..40_u32).prop_map(Op::Spin),
        2 => (0..3_u8).prop_map(Op::Class),
    ]
}

/// A program over this many keys. `strict` lets some of them fail.
pub(crate) fn program(keys: u8, strict: bool) -> impl Strategy<Value = Step> {
    let any = vec(op(keys), 0..6);
    let sweep = (0..keys, 0..keys).prop_map(|(from, to)| vec![Op::Sweep(from, to)]);
    let transfer = (0..keys, 0..keys, 0..40_i64)
        .prop_map(|(from, to, n)| vec![Op::Require(from, n), Op::Add(from, -n), Op::Add(to, n)]);
    let demand = (0..keys, 0..20_i64).prop_map(|(key, bound)| vec![Op::Demand(key, bound), Op::Read(key)]);
    let strict = u32::from(strict);
    prop_oneof![6 => any, 1 => sweep, 2 => transfer, strict => demand].prop_map(step)
}

/// A stream's steps, over up to this many keys.
pub(crate) fn steps(strict: bool, keys: u8, length: Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    (1..=keys).prop_flat_map(move |keys| vec(program(keys, strict), length.clone()))
}
