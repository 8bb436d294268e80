//! The rows of a state: keys and values of the sizes that Tandem's tables have, the same for every run.

use crate::rng::Rng;

pub const ACCOUNTS: u64 = 1_000_000;
pub const SLOTS: u64 = 2_000_000;
const CONTRACTS: u64 = 200_000;

/// Tables, by their place in an engine's list.
pub const TABLES: [&str; 4] = ["accounts", "storage", "account_nodes", "storage_nodes"];

pub type Row = (Vec<u8>, Vec<u8>);

/// What a block writes: rows by table, each table's sorted by key.
pub type Batch = [Vec<Row>; 4];

/// A hash that stands for the `index`-th address or slot.
fn hash(kind: u64, index: u64) -> [u8; 32] {
    let mut rng = Rng::new(index * 4 + kind);
    let mut hash = [0; 32];
    hash.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&rng.next().to_be_bytes()));
    hash
}

pub fn account_key(index: u64) -> Vec<u8> {
    hash(0, index).to_vec()
}

pub fn slot_key(index: u64) -> Vec<u8> {
    [hash(0, index % CONTRACTS), hash(1, index)].concat()
}

fn bytes(rng: &mut Rng, length: u64) -> Vec<u8> {
    (0..length).map(|_| rng.next() as u8).collect()
}

fn account(rng: &mut Rng) -> Vec<u8> {
    let length = 70 + rng.below(10);
    bytes(rng, length)
}

fn slot(rng: &mut Rng) -> Vec<u8> {
    let length = [1, 8, 20, 32][rng.below(4) as usize];
    bytes(rng, length)
}

fn nibbles(hash: &[u8], depth: usize) -> Vec<u8> {
    (0..depth).map(|index| hash[index / 2] >> (4 * (1 - index % 2)) & 15).collect()
}

/// The node of the trie of accounts at a depth on the way to an account. Most have 16 children down to depth 4, and few
/// at depth 5.
fn account_node(rng: &mut Rng, account: u64, depth: usize) -> Row {
    let length = if depth < 5 { 532 } else { 100 + rng.below(100) };
    // No key is empty: not every engine takes that.
    ([&[0], nibbles(&hash(0, account), depth).as_slice()].concat(), bytes(rng, length))
}

/// The root of a contract's storage trie, or the node at depth 1 on the way to one of its slots.
fn storage_node(rng: &mut Rng, slot: u64, depth: usize) -> Row {
    let path = nibbles(&hash(1, slot), depth);
    let length = if depth == 0 { 250 + rng.below(200) } else { 90 + rng.below(50) };
    ([hash(0, slot % CONTRACTS).as_slice(), &path].concat(), bytes(rng, length))
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_unstable();
    rows.dedup_by(|a, b| a.0 == b.0);
    rows
}

/// All rows of one table, sorted.
pub fn initial(table: usize) -> Vec<Row> {
    let mut rng = Rng::new(table as u64);
    sorted(match table {
        0 => (0..ACCOUNTS).map(|index| (account_key(index), account(&mut rng))).collect(),
        1 => (0..SLOTS).map(|index| (slot_key(index), slot(&mut rng))).collect(),
        2 => (0..ACCOUNTS)
            .flat_map(|index| {
                let depths = if index % 4 == 0 { 0..6 } else { 0..5 };
                // The upper ones are shared by so many accounts that these few meet them all.
                depths.filter(move |depth| *depth >= 4 || index < 200_000).map(move |depth| (index, depth))
            })
            .map(|(index, depth)| account_node(&mut rng, index, depth))
            .collect(),
        _ => (0..SLOTS)
            .filter(|index| *index < CONTRACTS * 3)
            .map(|index| storage_node(&mut rng, index, usize::from(index >= CONTRACTS)))
            .collect(),
    })
}

/// 600 leaves and about 1,500 inner nodes.
pub fn block(rng: &mut Rng) -> Batch {
    let mut batch = Batch::default();
    for _ in 0..200 {
        let index = rng.below(ACCOUNTS);
        batch[0].push((account_key(index), account(rng)));
        let depth = 4 + rng.below(2) as usize;
        batch[2].extend((0..=depth).map(|depth| account_node(rng, index, depth)));
    }
    for index in 0..400 {
        let slot_index = if index % 8 == 0 { SLOTS + rng.below(SLOTS) } else { rng.below(SLOTS) };
        batch[1].push((slot_key(slot_index), slot(rng)));
        batch[3].push(storage_node(rng, slot_index, 0));
        batch[3].push(storage_node(rng, slot_index, 1));
    }
    batch.map(sorted)
}

/// Several blocks as one batch.
pub fn merged(blocks: impl Iterator<Item = Batch>) -> Batch {
    let mut merged = Batch::default();
    for block in blocks {
        for (rows, more) in merged.iter_mut().zip(block) {
            rows.extend(more);
        }
    }
    merged.map(sorted)
}

/// A key that execution might ask for and its table: one account for two slots; half of the reads fall on the hottest
/// hundredth, one in twenty on what is not there.
pub fn read(rng: &mut Rng) -> (usize, Vec<u8>) {
    let table = usize::from(rng.below(3) > 0);
    let rows = [ACCOUNTS, SLOTS][table];
    let index = match rng.below(20) {
        0 => rows + rng.below(rows),
        1..=10 => rng.below(rows / 100),
        _ => rng.below(rows),
    };
    (table, if table == 0 { account_key(index) } else { slot_key(index) })
}
