//! New values for slots that are there: the nodes on their paths keep their layout, so nothing but the values and the names of
//! children is written anew. Most merges are such, and this takes a fraction of the time of going through the whole tree's code.

use cid::Cid;
use fvm_ipld_blockstore::Blockstore;
use fvm_ipld_encoding::DAG_CBOR;
use multihash_codetable::{Code, MultihashDigest};

use super::slot::{LAYOUT, Slot, Value};
use crate::cbor::Reader;

/// Sets the slots under the node `cid`, whose prefix has `consumed` bits; gives the new node. `None` if a slot is not there, or is
/// in a node of the last level (which has less than a whole place's bits), or a node is not one of a KAMT.
pub(super) fn replace(
    store: &impl Blockstore,
    cid: &Cid,
    changes: &[(&Slot, &Value)],
    consumed: u32,
) -> Option<Cid> {
    let node = store.get(cid).ok()??;
    let places = changes.iter().map(|(slot, _)| place(slot, consumed)).collect::<Option<Vec<_>>>()?;
    let mut reader = Reader::new(&node);
    if reader.array()? != 2 {
        return None;
    }
    let field = reader.bytes()?;
    let field = field.iter().fold(0, |field: u32, byte| field << 8 | u32::from(*byte));
    if reader.array()? != u64::from(field.count_ones()) {
        return None;
    }
    // Places that pointers have, in order; the copied part of the old node.
    let (mut new, mut copied, mut made) = (Vec::with_capacity(node.len() + 64), 0, 0);
    let mut mine = Vec::with_capacity(changes.len());
    for pointer in (0..u32::BITS).filter(|bit| field >> bit & 1 == 1) {
        mine.clear();
        for (change, place) in changes.iter().zip(&places) {
            if *place == pointer {
                mine.push(*change);
            }
        }
        made += mine.len();
        if reader.map()? != 1 {
            return None;
        }
        match reader.text()? {
            b"v" => {
                if reader.array()? != 1 || reader.array()? != 2 {
                    return None;
                }
                let key = reader.bytes()?;
                let from = reader.at();
                reader.bytes()?;
                match mine[..] {
                    [] => {}
                    [(slot, value)] if slot.0 == key => {
                        new.extend_from_slice(&node[copied..from]);
                        put_bytes(&mut new, &value.0)?;
                        copied = reader.at();
                    }
                    _ => return None,
                }
            }
            b"l" => {
                if reader.array()? != 3 {
                    return None;
                }
                let link = reader.link()?;
                let extension = u32::try_from(reader.uint()?).ok()?;
                reader.bytes()?;
                if !mine.is_empty() {
                    let deeper = consumed.checked_add(LAYOUT.bit_width)?.checked_add(extension)?;
                    let child = replace(store, &link.cid()?, &mine, deeper)?.to_bytes();
                    new.extend_from_slice(&node[copied..link.place.start]);
                    new.extend_from_slice(&child);
                    copied = link.place.end;
                }
            }
            _ => return None,
        }
    }
    if made < changes.len() || !reader.at_end() {
        return None;
    }
    new.extend_from_slice(&node[copied..]);
    let cid = Cid::new_v1(DAG_CBOR, Code::Blake2b256.digest(&new));
    store.put_keyed(&cid, &new).ok()?;
    Some(cid)
}

/// Which of a node's places a slot belongs to.
fn place(slot: &Slot, consumed: u32) -> Option<u32> {
    let zeros = 32_usize.checked_sub(slot.0.len())?;
    let bit = |at: u32| {
        let byte = (at / 8) as usize;
        let byte = byte.checked_sub(zeros).map_or(0, |index| slot.0[index]);
        u32::from(byte >> (7 - at % 8) & 1)
    };
    let end = consumed.checked_add(LAYOUT.bit_width).filter(|end| *end <= 256)?;
    Some((consumed..end).fold(0, |place, at| place << 1 | bit(at)))
}

/// Appends a byte string of at most 255 bytes, in the shortest form.
fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    match u8::try_from(bytes.len()).ok()? {
        short @ 0..=23 => to.push(0x40 | short),
        long => to.extend([0x58, long]),
    }
    to.extend_from_slice(bytes);
    Some(())
}
