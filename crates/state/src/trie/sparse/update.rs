use super::value::Value;
use alloy_primitives::{B256, U256};
use alloy_trie::Nibbles;

/// The new state of one key.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub(crate) key: Nibbles,
    /// The new value; `None` removes the key.
    pub(crate) value: Option<Value>,
}

impl Update {
    /// The change of a storage slot.
    pub(crate) fn slot(hashed_slot: &B256, value: U256) -> Self {
        Self { key: Nibbles::unpack_array(hashed_slot), value: Value::slot(value) }
    }
}

/// Sorts updates by key; the last one of several for a key counts.
pub(super) fn sort(updates: &mut Vec<Update>) {
    if updates.is_sorted_by(|a, b| a.key < b.key) {
        return;
    }
    updates.sort_by_key(|update| update.key);
    updates.dedup_by(|later, kept| {
        let same = later.key == kept.key;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
}

/// Moves the updates that set a value to the front, in order, and returns them.
pub(super) fn insertions(updates: &mut [Update]) -> &mut [Update] {
    let mut kept = 0;
    for index in 0..updates.len() {
        if updates[index].value.is_some() {
            updates.swap(kept, index);
            kept += 1;
        }
    }
    &mut updates[..kept]
}

/// Splits off the update of the key that ends at `depth`, which is the first if there is one.
pub(super) fn split_ending(updates: &mut [Update], depth: usize) -> (Option<&mut Update>, &mut [Update]) {
    let ends = updates.first().is_some_and(|first| first.key.len() == depth);
    let (ending, rest) = updates.split_at_mut(usize::from(ends));
    (ending.first_mut(), rest)
}

/// Groups updates by their keys' nibble at `depth`.
pub(super) fn by_nibble(updates: &mut [Update], depth: usize) -> impl Iterator<Item = (u8, &mut [Update])> {
    updates
        .chunk_by_mut(move |a, b| a.key.get_unchecked(depth) == b.key.get_unchecked(depth))
        .map(move |group| (group[0].key.get_unchecked(depth), group))
}
