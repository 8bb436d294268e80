//! State roots alone: 10,000 changed slots in one account and in 10,000 accounts, on one thread and on several.
//!
//! `cargo bench -p tandem-state --bench state_root -- [SAMPLES] [THREADS]` prints medians of interleaved blocks on a warm
//! state of 100,000 accounts with four slots each and one account with 1,000,000 slots. Each block sets new values in
//! slots that exist, adds some and removes some.
#![allow(clippy::unwrap_used)]

use alloy_primitives::{B256, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount, root};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::time::{Duration, Instant};
use tandem_state::Account;
use tandem_state::trie::{HashedAccount, HashedChanges, NoSource, StateTrie};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ACCOUNTS: u64 = 100_000;
const SLOTS_EACH: u64 = 4;
const SLOTS_OF_LARGE: u64 = 1_000_000;
const CHANGES: u64 = 10_000;
/// The account with many slots; the others go by lower numbers.
const LARGE: u64 = u64::MAX;

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let samples = arguments.next().unwrap_or(41);
    let threads = arguments.next().unwrap_or(2);
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let pools = [pool(1), pool(threads)];
    let mut random = Random(1);

    let start = Instant::now();
    let mut tries = StateTrie::new(EMPTY_ROOT_HASH);
    for block in genesis() {
        run(&mut tries, &block, &pools[1]);
    }
    println!(
        "warm state: {} nodes in memory, built in {:.1} s",
        tries.resident_nodes(),
        start.elapsed().as_secs_f64()
    );

    let one: fn(&mut Random) -> HashedChanges = in_one_account;
    for (name, changes) in [("one account", one), ("10,000 accounts", in_many_accounts)] {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..samples {
            for (pool, times) in pools.iter().zip(&mut times) {
                times.push(run(&mut tries, &changes(&mut random), pool));
            }
        }
        println!("10,000 changed slots in {name}, medians of {samples} blocks (update + root):");
        let [one, several] =
            times.map(|times| [0, 1, 2].map(|part| median(times.iter().map(|times| times[part]))));
        for (threads, [update, finish, take]) in [(1, one), (threads, several)] {
            let (total, speed_up) = (update + finish, (one[0] + one[1]) / (update + finish));
            print!("  {threads} threads: {total:6.2} ms ({update:.2} + {finish:.2}), {speed_up:.2}x; ");
            println!("then taking the changed nodes: {take:.2} ms");
        }
    }
    from_scratch();
}

/// Milliseconds of applying the changes, of computing the root, and of taking the changed nodes.
fn run(tries: &mut StateTrie, changes: &HashedChanges, pool: &ThreadPool) -> [f64; 3] {
    pool.install(|| {
        let start = Instant::now();
        tries.update(changes, &NoSource).unwrap();
        let updated = start.elapsed();
        tries.finish_block(&NoSource).unwrap();
        let finished = start.elapsed();
        tries.take_nodes();
        [updated, finished - updated, start.elapsed() - finished].map(milliseconds)
    })
}

fn genesis() -> Vec<HashedChanges> {
    let account = |number| fields(number, 1);
    let small = (0..ACCOUNTS).map(|number| (number, (0..SLOTS_EACH).collect()));
    let mut blocks = vec![changes(small, account, |_| U256::from(1))];
    for part in 0..10 {
        let slots = part * SLOTS_OF_LARGE / 10..(part + 1) * SLOTS_OF_LARGE / 10;
        blocks.push(changes([(LARGE, slots.collect())], account, U256::from));
    }
    blocks
}

fn in_one_account(random: &mut Random) -> HashedChanges {
    let slots = (0..CHANGES).map(|_| random.below(SLOTS_OF_LARGE * 11 / 10)).collect();
    let salt = random.below(u64::MAX);
    changes([(LARGE, slots)], |number| fields(number, salt), |slot| value(slot, salt))
}

fn in_many_accounts(random: &mut Random) -> HashedChanges {
    let salt = random.below(u64::MAX);
    let first = random.below(ACCOUNTS);
    let accounts = (0..CHANGES).map(|index| {
        // A step without common divisor with the number of accounts visits none twice.
        let account = (first + index * 7_919) % ACCOUNTS;
        (account, vec![random.below(SLOTS_EACH + 1)])
    });
    changes(accounts.collect::<Vec<_>>(), |number| fields(number, salt), |slot| value(slot, salt))
}

/// A slot's new value; one of 16 is removed.
fn value(slot: u64, salt: u64) -> U256 {
    let value = Random(slot ^ salt).below(u64::MAX);
    if value.is_multiple_of(16) { U256::ZERO } else { U256::from(value) }
}

fn fields(number: u64, salt: u64) -> Account {
    Account { balance: U256::from(number ^ salt), nonce: 1, ..Account::default() }
}

fn changes(
    accounts: impl IntoIterator<Item = (u64, Vec<u64>)>,
    fields: impl Fn(u64) -> Account,
    value: impl Fn(u64) -> U256,
) -> HashedChanges {
    let accounts = accounts.into_iter().map(|(number, slots)| {
        let mut storage: Vec<_> = slots.into_iter().map(|slot| (hash(slot), value(slot))).collect();
        storage.sort_unstable_by_key(|(slot, _)| *slot);
        storage.dedup_by_key(|(slot, _)| *slot);
        let account = HashedAccount { account: Some(Some(fields(number))), storage_wiped: false, storage };
        (hash(number), account)
    });
    let mut accounts: Vec<_> = accounts.collect();
    accounts.sort_unstable_by_key(|(address, _)| *address);
    HashedChanges { accounts }
}

fn hash(number: u64) -> B256 {
    keccak256(number.to_be_bytes())
}

/// For scale: what it takes to compute the same roots from nothing on one thread.
fn from_scratch() {
    let mut slots: Vec<_> = (0..SLOTS_OF_LARGE).map(|slot| (hash(slot), U256::from(slot + 1))).collect();
    slots.sort_unstable();
    let start = Instant::now();
    let storage_root = root::storage_root(slots);
    println!("alloy-trie from scratch, 1 thread:");
    println!("  1,000,000 slots: {:.0} ms", milliseconds(start.elapsed()));

    let mut accounts: Vec<_> = (0..ACCOUNTS)
        .map(|number| {
            let mut slots: Vec<_> = (0..SLOTS_EACH).map(|slot| (hash(slot), U256::from(slot + 1))).collect();
            slots.sort_unstable();
            (hash(number), slots)
        })
        .collect();
    accounts.sort_unstable();
    let start = Instant::now();
    let accounts = accounts.into_iter().map(|(address, slots)| {
        let account =
            TrieAccount { nonce: 1, storage_root: root::storage_root(slots), ..TrieAccount::default() };
        (address, account)
    });
    let state_root = root::state_root(accounts);
    println!("  100,000 accounts of 4 slots: {:.0} ms", milliseconds(start.elapsed()));
    std::hint::black_box((storage_root, state_root));
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
