//! The state of an EVM contract, as far as it must be understood: a tuple whose first field links to the bytecode and whose third
//! links to the slots; and when two states cannot be told apart by code that opened certain nodes.

use std::ops::Range;

use cid::Cid;
use fvm_ipld_blockstore::Blockstore;
use fvm_ipld_encoding::DAG_CBOR;
use fvm_shared::IDENTITY_HASH;
use multihash_codetable::{Code, MultihashDigest};

use crate::cbor::{Link, Reader, links};
use crate::checks::{Checks, Conflict};
use crate::kamt::{self, Diff};
use crate::record::Cids;

/// Which of the tuple's links is the one to the slots; the bytecode's comes before it.
const SLOTS: usize = 1;

/// The root of a contract's slots, and where it stands in the state tuple.
fn slots(tuple: &[u8]) -> Option<(Cid, Range<usize>)> {
    let mut reader = Reader::new(tuple);
    if reader.array()? < 4 {
        return None;
    }
    reader.link()?;
    reader.bytes()?;
    let link = reader.link()?;
    Some((link.cid()?, link.place))
}

/// The links in which two blocks differ, if they are equal but for the CIDs of some links. Their lengths, fields and numbers of
/// links are equal then, so that opening one costs the gas of opening the other; code that only follows links does the same on
/// both. `None` if they differ otherwise.
fn differences(
    one: &[u8],
    other: &[u8],
    strict: bool,
    may_differ: impl Fn(usize) -> bool,
) -> Option<Vec<(Cid, Cid)>> {
    if one.len() != other.len() {
        return None;
    }
    let kind = |cid: &Cid| (cid.version(), cid.codec(), cid.hash().code());
    let (mut found, mut from) = (Vec::new(), 0);
    for (index, Link { name, place }) in links(one)?.into_iter().enumerate() {
        if strict && one[from..place.start] != other[from..place.start] {
            return None;
        }
        let beside = &other[place.clone()];
        if name != beside {
            let link = Cid::try_from(name).ok()?;
            let beside = Cid::try_from(beside).ok().filter(|cid| cid.encoded_len() == place.len())?;
            if !may_differ(index) || kind(&link) != kind(&beside) || link.hash().code() == IDENTITY_HASH {
                return None;
            }
            found.push((link, beside));
        }
        from = place.end;
    }
    (!strict || one[from..] == other[from..]).then_some(found)
}

/// A message's changes of a contract's slots, between two of its states. `None` if it changed anything else, or if the change
/// cannot be told exactly.
pub(crate) fn diff(
    store: &impl Blockstore,
    pre: &Cid,
    post: &Cid,
    opened: &Cids,
    written: &Cids,
) -> Option<Diff> {
    let (before, after) = (store.get(pre).ok()??, store.get(post).ok()??);
    differences(&before, &after, true, |link| link == SLOTS)?;
    let (pre, post) = (slots(&before)?.0, slots(&after)?.0);
    kamt::diff(store, &pre, &post, opened, written)
}

/// Whether code that opened `opened` under the state `pre` would have done the same under `truth`.
pub(crate) fn same_path(
    store: &impl Blockstore,
    pre: &Cid,
    truth: &Cid,
    opened: &Cids,
    checks: Checks,
) -> Result<(), Conflict> {
    let read = |cid: &Cid| store.get(cid).ok().flatten();
    let roots = || {
        let (before, now) = (read(pre)?, read(truth)?);
        differences(&before, &now, true, |link| link == SLOTS)?;
        Some((slots(&before)?.0, slots(&now)?.0))
    };
    let root = roots().ok_or(Conflict::State)?;
    if !checks.shapes {
        return Ok(());
    }
    let compare = || {
        let mut todo = vec![root];
        while let Some((pre, truth)) = todo.pop() {
            // A block that was not opened was not seen: its parent holds no more of it than a CID.
            if pre == truth || !opened.contains(&pre) {
                continue;
            }
            let (before, now) = (read(&pre)?, read(&truth)?);
            todo.extend(differences(&before, &now, checks.siblings, |_| true)?);
        }
        Some(())
    };
    compare().ok_or(Conflict::Slots)
}

/// Makes the changes in the state `truth`; gives the new state.
pub(crate) fn merge(store: &impl Blockstore, truth: &Cid, diff: &Diff) -> Option<Cid> {
    let mut tuple = store.get(truth).ok()??;
    let (root, place) = slots(&tuple)?;
    let merged = kamt::merge(store, &root, diff)?.to_bytes();
    if merged.len() != place.len() {
        return None;
    }
    tuple[place].copy_from_slice(&merged);
    let cid = Cid::new_v1(DAG_CBOR, Code::Blake2b256.digest(&tuple));
    store.put_keyed(&cid, &tuple).ok()?;
    Some(cid)
}
