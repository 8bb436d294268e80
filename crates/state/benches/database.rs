//! The embedded database and the read cache in front of it, on a state of 1,000,000 accounts and 2,000,000 slots.
//!
//! `cargo bench -p tandem-state --bench database -- [DIR]` makes a database in DIR (a temporary directory if none is given)
//! and prints medians: point reads by number of threads, tries' nodes, commits of blocks of 600 leaves, the time to open and
//! to check.
#![allow(clippy::unwrap_used)]

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, nodes::TrieNode};
use std::{
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};
use tandem_state::{
    Account, AccountChange, StateChanges, Store,
    cache::{CacheLimits, ReadCache},
    database::{Batch, BlockBody, BlockRecord, Database, DatabaseOptions, Head, Snapshot, check},
    trie::{HashedChanges, NoSource, NodeSource, StateTrie},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ACCOUNTS: u64 = 1_000_000;
const CONTRACTS: u64 = 200_000;
const SLOTS_EACH: u64 = 10;
const BLOCKS: usize = 100;
const ROUNDS: usize = 5;
const PHASE: Duration = Duration::from_millis(700);

fn main() {
    let temporary = tempfile::TempDir::new().unwrap();
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let dir = given.map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let options = DatabaseOptions::new();
    let database = Database::open(&dir.join("data"), &options).unwrap();
    let mut trie = load_genesis(&database);
    for at_once in [1, 8, 64] {
        commit_blocks(&database, &mut trie, at_once);
    }
    let snapshot = database.snapshot().unwrap();
    read(&snapshot);
    read_nodes(&snapshot);
    let (time, report) = timed(|| check::check(&snapshot, |_| {}).unwrap());
    println!("check of {} accounts, {} slots: {time:.1?}", report.accounts, report.slots);
    let size = database.stats().unwrap().file_bytes.unwrap();
    drop((snapshot, database));
    let (time, _) = timed(|| Database::open(&dir.join("data"), &options).unwrap());
    println!("opening {} MiB after an orderly end: {time:.1?}", size >> 20);
}

fn address(index: u64) -> Address {
    Address::from_word(keccak256(index.to_be_bytes()))
}

/// Loads the genesis in chunks of 50,000 accounts. Returns the tries, whole in memory.
fn load_genesis(database: &Database) -> StateTrie {
    let mut trie = StateTrie::new(EMPTY_ROOT_HASH);
    let mut parts = Vec::new();
    for chunk in (0..ACCOUNTS).collect::<Vec<_>>().chunks(50_000) {
        let mut changes = StateChanges::default();
        for index in chunk {
            let account = Account { balance: U256::from(*index), nonce: 1, code_hash: KECCAK256_EMPTY };
            let slots = if *index < CONTRACTS { SLOTS_EACH } else { 0 };
            let slots = (0..slots).map(|slot| (U256::from(slot), (U256::ZERO, U256::from(slot + 1))));
            let change = AccountChange {
                fields: Some((None, Some(account))),
                storage_wiped: false,
                storage: slots.collect(),
            };
            changes.accounts.insert(address(*index), change);
        }
        trie.update(&HashedChanges::new(&changes), &NoSource).unwrap();
        parts.push(trie.finish_block(&NoSource).unwrap().1);
    }
    let nodes = trie.take_nodes().1;
    let header = Header { state_root: trie.root(), ..Header::default() };
    let (time, ()) = timed(|| {
        let mut loader = database.begin_genesis(header.hash_slow(), b"").unwrap();
        for leaves in &parts {
            loader.load(leaves, &Default::default(), &[]).unwrap();
        }
        loader.load(&Default::default(), &nodes, &[]).unwrap();
        loader.finish(header).unwrap();
    });
    println!("loading {ACCOUNTS} accounts, {} slots: {time:.1?}", CONTRACTS * SLOTS_EACH);
    trie
}

/// Commits blocks that change 200 accounts and 400 slots each, so many at once.
fn commit_blocks(database: &Database, trie: &mut StateTrie, at_once: usize) {
    let mut random = Random(at_once as u64);
    let mut head = database.head().unwrap().unwrap();
    let (mut apply, mut write, mut rows) = (Vec::new(), Vec::new(), 0);
    for _ in 0..(BLOCKS / at_once).max(3) {
        let mut batch = Batch::default();
        for _ in 0..at_once {
            trie.update(&HashedChanges::new(&changes(&mut random)), &NoSource).unwrap();
            let (state_root, leaves) = trie.finish_block(&NoSource).unwrap();
            let header =
                Header { number: head.number + 1, parent_hash: head.hash, state_root, ..Header::default() };
            head = Head { number: header.number, hash: header.hash_slow(), state_root };
            batch.blocks.push(BlockRecord {
                hash: head.hash,
                header,
                body: BlockBody::default(),
                receipts: Vec::new(),
                leaves,
                codes: Vec::new(),
            });
        }
        batch.nodes = trie.take_nodes().1;
        let stats = database.commit(&batch).unwrap();
        apply.push(stats.apply / at_once as u32);
        write.push(stats.write / at_once as u32);
        rows += stats.rows / at_once as u64;
    }
    println!(
        "commit of {at_once} blocks, a block of {} rows: {:.1?} to apply, {:.1?} to write durably",
        rows / apply.len() as u64,
        median(apply),
        median(write)
    );
}

fn changes(random: &mut Random) -> StateChanges {
    let mut changes = StateChanges::default();
    for index in 0..200 {
        let account = Account { balance: U256::from(random.next()), nonce: 2, ..Account::default() };
        let mut change = AccountChange { fields: Some((None, Some(account))), ..AccountChange::default() };
        let contract = index < 50;
        for _ in 0..if contract { 8 } else { 0 } {
            change.storage.insert(U256::from(random.below(20)), (U256::ZERO, U256::from(random.next())));
        }
        let owner = random.below(if contract { CONTRACTS } else { ACCOUNTS });
        changes.accounts.insert(address(owner), change);
    }
    changes
}

/// Accounts and slots by number of threads: from the database, and from a cache that holds them all.
fn read(snapshot: &Snapshot) {
    let addresses: Vec<_> = (0..ACCOUNTS).map(address).collect();
    let (all, hot) = (addresses.as_slice(), &addresses[..20_000]);
    let cache = ReadCache::new(CacheLimits { accounts: 2_000_000, slots: 4_000_000, code_bytes: 0 });
    let cached = cache.over(snapshot);
    reads_per_second(&cached, 1, hot, Duration::from_secs(2));
    for threads in [1, 2, 4] {
        let mut rates = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            rates[0].push(reads_per_second(snapshot, threads, all, PHASE));
            rates[1].push(reads_per_second(snapshot, threads, hot, PHASE));
            rates[2].push(reads_per_second(&cached, threads, hot, PHASE));
        }
        let [all, hot, cached] = rates.map(median);
        println!(
            "reads/s by {threads} threads: {}k of all rows, {}k of hot rows, {}k of hot rows from the cache",
            all / 1000,
            hot / 1000,
            cached / 1000
        );
    }
}

/// Reads of all threads together, of these accounts and the slots of those that have some.
fn reads_per_second<S: Store>(store: &S, threads: u64, accounts: &[Address], phase: Duration) -> u64 {
    let contracts = &accounts[..accounts.len().min(CONTRACTS as usize)];
    let started = Instant::now();
    let run = |thread| {
        let mut random = Random(thread);
        let mut reads = 0;
        while started.elapsed() < phase {
            for _ in 0..100 {
                black_box(store.account(random.pick(accounts)).unwrap());
                let slot = U256::from(random.below(SLOTS_EACH));
                black_box(store.storage(random.pick(contracts), slot).unwrap());
                reads += 2;
            }
        }
        reads
    };
    let reads: u64 = std::thread::scope(|scope| {
        let run = &run;
        let threads: Vec<_> = (0..threads).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    (reads as f64 / started.elapsed().as_secs_f64()) as u64
}

/// Nodes on the ways to random accounts, and what hashing them takes of that.
fn read_nodes(snapshot: &Snapshot) {
    let root = snapshot.head().unwrap().state_root;
    let mut random = Random(9);
    let mut places: Vec<(Nibbles, B256, bool)> = Vec::new();
    for _ in 0..20_000 {
        let key = Nibbles::unpack(keccak256(address(random.below(ACCOUNTS))));
        let (mut path, mut hash) = (Nibbles::new(), root);
        loop {
            let rlp = snapshot.node(None, &path, hash).unwrap().unwrap();
            let TrieNode::Branch(branch) = decode(&rlp) else {
                places.push((path, hash, true));
                break;
            };
            places.push((path, hash, false));
            let nibble = key.get(path.len()).unwrap();
            let child =
                branch.as_ref().children().nth(usize::from(nibble)).and_then(|(_, child)| child.cloned());
            path.push(nibble);
            hash = child.unwrap().as_hash().unwrap();
        }
    }
    for (name, leaf) in [("inner nodes", false), ("leaves", true)] {
        let wanted: Vec<_> = places.iter().filter(|place| place.2 == leaf).collect();
        let (mut reads, mut hashes) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (time, rlps) = timed(|| {
                let nodes =
                    wanted.iter().map(|(path, hash, _)| snapshot.node(None, path, *hash).unwrap().unwrap());
                nodes.collect::<Vec<_>>()
            });
            reads.push(time / wanted.len() as u32);
            let (time, ()) = timed(|| {
                for rlp in &rlps {
                    black_box(keccak256(rlp));
                }
            });
            hashes.push(time / wanted.len() as u32);
        }
        println!("{name}: {:.2?} each, of which {:.2?} to check the hash", median(reads), median(hashes));
    }
}

fn decode(mut rlp: &[u8]) -> TrieNode {
    alloy_rlp::Decodable::decode(&mut rlp).unwrap()
}

fn timed<T>(run: impl FnOnce() -> T) -> (Duration, T) {
    let started = Instant::now();
    let result = run();
    (started.elapsed(), result)
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick(&mut self, addresses: &[Address]) -> Address {
        addresses[self.below(addresses.len() as u64) as usize]
    }
}
