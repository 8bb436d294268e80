//! Neighbours in a block, which one worker may execute in one run, on one journal: what one of them leaves there, the next one
//! must see as if there were no run, and nothing else. With runs and without, on one thread and on several, and where somebody wants
//! to see the changes after every, every other and every third transaction.

use crate::common::asm::word;
use crate::common::contracts::*;
use crate::common::rng::Rng;
use crate::common::stores::SlowStore;
use crate::common::{
    Fork, NEVER, Report, Scenario, Signer, Tx, apply, assert_like, at, ether, execute_plainly, stream_watched,
};
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::{Address, U256};
use revm::bytecode::opcode as op;
use std::collections::BTreeMap;
use tandem_evm::{Block, Config, Cut, Executor};
use tandem_state::{Account, MemoryStore};

const FORKS: [Fork; 6] =
    [Fork::Petersburg, Fork::Berlin, Fork::London, Fork::Shanghai, Fork::Cancun, Fork::Prague];
const BEFORE_CANCUN: [Fork; 3] = [Fork::Petersburg, Fork::London, Fork::Shanghai];

/// Executors with runs and without.
fn executors() -> Vec<(String, Executor)> {
    let ways = [1, 2, 4].into_iter().flat_map(|threads| [(threads, true), (threads, false)]);
    let executor = |(threads, runs)| {
        let config = Config::default().threads(threads).runs(runs);
        (format!("{threads} threads, runs: {runs}"), Executor::new(&config).unwrap())
    };
    ways.map(executor).collect()
}

/// Executes the blocks in every way, and compares with the plain loop.
fn check(s: &Scenario) -> Report {
    let blocks = s.blocks();
    let mut report = s.expect();
    for (how, executor) in executors() {
        for every in [1, 2, 3, NEVER] {
            for seed in 0..4 {
                // Every other store takes its time.
                let delays = if seed % 2 == 0 { 0 } else { Rng(seed).next() };
                let store = SlowStore::new(&s.store, delays, &s.slow);
                let streamed = stream_watched(&executor, &blocks, &store, Cut::Never, every, |_| ());
                assert_like(&streamed, &report, &format!("{how}, parts of {every}"));
                report.metrics.merge(&streamed.metrics);
            }
        }
    }
    report
}

/// What a test of its own would do to one pair of neighbours, done often: runs get longer by and by.
const ROUNDS: u64 = 12;

/// Contracts at 1 that tells balances, at 2 that pays, at 3 that counts, and three users.
fn setting(fork: Fork) -> (Scenario, [Address; 3]) {
    let mut s = Scenario::new(fork);
    s.contract(at(1), &looker(op::BALANCE), 0);
    s.contract(at(2), &forwarder(), 1_000_000);
    s.contract(at(3), &counter(), 0);
    let users = [0, 1, 2].map(|n| s.user(n));
    (s, users)
}

fn look(from: Address, whom: Address) -> Tx {
    Tx::call(from, at(1)).words(&[word(whom)])
}

fn forward(from: Address, to: Address, value: u64) -> Tx {
    Tx::call(from, at(2)).words(&[word(to), U256::from(value)])
}

#[test]
fn transfers_and_calls_by_and_of_the_same_accounts() {
    for fork in FORKS {
        let (mut s, [a, b, c]) = setting(fork);
        for n in 0..ROUNDS {
            s.tx(Tx::pay(a, b, 5 + n));
            s.tx(look(b, a));
            s.tx(Tx::pay(b, a, 3));
            s.tx(forward(c, b, 7));
            s.tx(Tx::pay(c, a, 1));
            s.tx(Tx::call(c, at(3)));
            s.tx(Tx::call(b, at(3)));
            s.tx(Tx::pay(a, at(2), n).gas(60_000));
            s.tx(look(a, c));
            s.tx(Tx::pay(a, c, 2));
            if n % 4 == 3 {
                s.next_block();
            }
        }
        check(&s).valid();
    }
}

/// The journal has no id of an account that it found absent, and reads its slots by its address alone.
#[test]
fn an_account_that_was_absent_reads_its_storage_in_the_run_that_delegates_it() {
    for fork in [Fork::Prague, Fork::Bpo2] {
        let (mut s, [a, b, c]) = setting(fork);
        let signers: Vec<_> = (0..ROUNDS).map(|n| Signer::new(200 + n)).collect();
        for (n, signer) in signers.iter().enumerate() {
            if n % 2 == 0 {
                s.tx(look(c, signer.address));
            }
            s.tx(Tx::delegate(a, signer.address, vec![signer.authorize(at(3), 0)]));
            s.tx(Tx::call(b, signer.address));
            s.tx(Tx::call(c, signer.address));
        }
        let report = check(&s).all_succeed();
        for signer in signers {
            assert_eq!(report.storage(signer.address, 0), 3);
        }
        let executor = Executor::new(&Config::default().threads(1)).unwrap();
        let store = SlowStore::new(&s.store, 0, &s.slow);
        let streamed = stream_watched(&executor, &s.blocks(), &store, Cut::Never, NEVER, |_| ());
        assert_eq!(streamed.metrics.reexecutions, 0, "no run begins again");
    }
}

#[test]
fn an_account_that_is_paid_and_only_looked_at_keeps_its_money() {
    for fork in FORKS {
        let (mut s, [a, b, c]) = setting(fork);
        for n in 0..ROUNDS {
            let [after, before, between] = [900, 1_900, 2_900].map(|base| at(base + n));
            s.tx(Tx::pay(a, after, 10 + n));
            s.tx(look(b, after));
            s.tx(look(b, before));
            s.tx(Tx::pay(a, before, 20 + n));
            s.tx(look(c, between));
            s.tx(Tx::pay(c, between, 30 + n));
            s.tx(look(b, between));
        }
        let report = check(&s).all_succeed();
        assert_eq!(report.account(at(901)).unwrap().balance, U256::from(11));
        assert_eq!(report.account(at(1_901)).unwrap().balance, U256::from(21));
        assert_eq!(report.account(at(2_901)).unwrap().balance, U256::from(31));
    }
}

/// Ways to touch an account so that it stays empty.
fn touches(s: &mut Scenario, [a, b, c]: [Address; 3], whom: Address) -> Vec<Tx> {
    s.contract(at(4), &mortal(), 0);
    vec![
        forward(a, whom, 0),
        Tx::pay(b, whom, 0),
        Tx::call(c, whom).input(vec![1]),
        Tx::call(a, at(4)).words(&[word(whom)]),
    ]
}

#[test]
fn what_was_touched_and_stayed_empty_does_not_exist_for_an_authorization() {
    for fork in [Fork::Prague, Fork::Bpo2] {
        for is_there in [false, true] {
            for way in 0..4 {
                for known in [false, true] {
                    let (mut s, users) = setting(fork);
                    for n in 0..ROUNDS {
                        let signer = Signer::new(100 + n);
                        if is_there {
                            s.fund(signer.address, 0);
                        }
                        // Whether the journal has the account already, or transfers keep account of it.
                        if known {
                            s.tx(look(users[1], signer.address));
                        }
                        let touch = touches(&mut s, users, signer.address).swap_remove(way);
                        s.tx(touch);
                        s.tx(Tx::delegate(users[2], at(900), vec![signer.authorize(at(3), 0)]));
                        s.tx(look(users[0], signer.address));
                    }
                    check(&s).all_succeed();
                }
            }
        }
    }
}

#[test]
fn what_a_system_call_touched_does_not_exist_for_an_authorization() {
    let contracts = [
        eip4788::BEACON_ROOTS_ADDRESS,
        eip2935::HISTORY_STORAGE_ADDRESS,
        eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
        eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
    ];
    for fork in [Fork::Prague, Fork::Bpo2] {
        for contract in contracts {
            for looked_at in [false, true] {
                let (mut s, [a, b, c]) = setting(fork);
                let signer = Signer::new(100);
                s.contract(contract, &caller(signer.address), 0);
                s.tx(Tx::pay(a, at(900), 1));
                s.next_block();
                if looked_at {
                    s.tx(look(b, signer.address));
                }
                s.tx(Tx::delegate(c, at(900), vec![signer.authorize(at(3), 0)]));
                s.tx(look(b, signer.address));
                check(&s).all_succeed();
            }
        }
    }
}

#[test]
fn a_beneficiary_that_gets_nothing_does_not_exist_for_an_authorization() {
    for fork in [Fork::Prague, Fork::Bpo2] {
        for known in [false, true] {
            let (mut s, [a, b, c]) = setting(fork);
            for n in 0..ROUNDS {
                let signer = Signer::new(100 + n);
                s.header().beneficiary = signer.address;
                let base_fee = s.header().base_fee_per_gas.unwrap();
                if known {
                    s.tx(look(a, signer.address).price(base_fee.into()));
                }
                s.tx(Tx::call(b, at(3)).price(base_fee.into()));
                s.tx(Tx::pay(a, at(900), 1).price(base_fee.into()));
                let authorization = signer.authorize(at(3), 0);
                s.tx(Tx::delegate(c, at(900), vec![authorization]).price(base_fee.into()));
                s.tx(look(b, signer.address).price(base_fee.into()));
                s.next_block();
            }
            check(&s).all_succeed();
        }
    }
}

#[test]
fn the_beneficiary_is_paid_looked_at_and_pays_between_transfers() {
    for fork in FORKS {
        for balance in [U256::ZERO, ether(1)] {
            let (mut s, [a, b, c]) = setting(fork);
            for _ in 0..ROUNDS / 3 {
                let beneficiary = at(0xb0);
                s.header().beneficiary = beneficiary;
                s.fund(beneficiary, balance);
                for n in 0..5 {
                    s.tx(Tx::pay(a, at(900 + n), 1));
                }
                // By now the fees suffice for this.
                s.tx(Tx::pay(beneficiary, at(910), 5));
                s.tx(Tx::pay(a, at(911), 1));
                s.tx(look(b, beneficiary));
                s.tx(Tx::pay(c, at(912), 1));
                s.tx(look(b, beneficiary));
                s.tx(Tx::pay(c, beneficiary, 3));
                s.tx(forward(b, beneficiary, 2));
                s.tx(Tx::pay(c, at(913), 1));
                s.tx(look(c, beneficiary));
                s.next_block();
            }
            check(&s).all_succeed();
        }
    }
}

#[test]
fn fees_that_overflow_are_dropped_one_by_one() {
    for fork in FORKS {
        let (mut s, users) = setting(fork);
        let beneficiary = s.header().beneficiary;
        s.fund(beneficiary, U256::MAX - U256::from(500_000));
        if fork < Fork::Paris {
            s.unlike_alloy("the block's reward overflows");
        }
        for n in 0..6 {
            s.tx(Tx::pay(users[n % 3], at(900), 1).price(if n % 2 == 0 { 10 } else { 17 }));
        }
        check(&s).all_succeed();
    }
}

#[test]
fn withdrawals_and_rewards_of_accounts_that_transfers_have_moved() {
    for fork in FORKS {
        let (mut s, [a, b, _]) = setting(fork);
        for n in 0..4 {
            s.tx(Tx::pay(a, at(900), 5));
            s.tx(Tx::pay(b, at(901 + n), 5));
            s.tx(Tx::pay(a, b, 5));
            if fork >= Fork::Shanghai {
                [at(900), a, at(901 + n), at(950)].into_iter().for_each(|to| s.withdraw(to, 3));
            } else {
                s.ommer(1, at(900));
                s.ommer(2, a);
            }
            s.next_block();
        }
        check(&s).all_succeed();
    }
}

#[test]
fn contracts_that_neighbours_create_use_and_destroy() {
    for fork in FORKS {
        let (mut s, [a, b, c]) = setting(fork);
        let factory = at(4);
        s.contract(factory, &factory2(&vault()), 0);
        let child = address2(factory, 7, &vault());
        let add = |from, amount| Tx::call(from, child).words(&[U256::from(3), U256::from(amount)]);
        let die = |from| Tx::call(from, child).words(&[word(at(900))]);
        let create = |from| Tx::call(from, factory).words(&[U256::from(7)]).value(5);
        for n in 0..ROUNDS / 2 {
            s.tx(create(a));
            s.tx(add(b, 40 + n));
            s.tx(Tx::pay(c, child, 11).gas(50_000));
            s.tx(die(a));
            s.tx(Tx::pay(b, child, 2).gas(50_000));
            s.tx(look(c, child));
            s.tx(create(a));
            s.tx(add(b, 1));
            s.tx(die(c));
            s.tx(Tx::pay(a, at(901), 1));
            if n % 2 == 1 {
                s.next_block();
            }
        }
        let report = check(&s).valid();
        if BEFORE_CANCUN.contains(&fork) {
            assert_eq!(report.account(child), None);
        }
    }
}

#[test]
fn contracts_created_by_a_transaction_and_used_by_the_next() {
    for fork in FORKS {
        let (mut s, [a, b, _]) = setting(fork);
        for n in 0..ROUNDS {
            let created = a.create(s.nonce(a));
            s.tx(Tx::pay(b, created, 1));
            s.tx(Tx::create(a, crate::common::asm::deploys(&spender())).value(100));
            s.tx(Tx::call(b, created).words(&[word(at(900 + n))]));
            s.tx(Tx::call(a, created).words(&[word(created)]));
            s.tx(look(b, created));
        }
        check(&s).all_succeed();
    }
}

#[test]
fn a_delegation_that_neighbours_set_use_and_clear() {
    for fork in [Fork::Prague, Fork::Bpo2] {
        let (mut s, [a, b, c]) = setting(fork);
        let signer = Signer::new(1);
        let authority = signer.address;
        s.fund(authority, ether(1));
        let authorize = |s: &mut Scenario, target: Address| {
            let nonce = s.nonce(authority);
            s.tx(Tx::delegate(a, at(900), vec![signer.authorize(target, nonce)]));
            s.set_nonce(authority, nonce + 1);
        };
        for _ in 0..ROUNDS / 2 {
            s.tx(Tx::pay(authority, b, 1));
            s.tx(Tx::pay(b, authority, 3));
            authorize(&mut s, at(3));
            s.tx(Tx::call(b, authority));
            s.tx(Tx::pay(authority, c, 1));
            s.tx(Tx::pay(b, authority, 3).gas(80_000));
            authorize(&mut s, Address::ZERO);
            s.tx(Tx::pay(c, authority, 3));
            s.tx(Tx::call(b, authority));
            s.tx(Tx::pay(authority, c, 1));
            authorize(&mut s, at(1));
            s.tx(Tx::call(c, authority).words(&[word(b)]));
            authorize(&mut s, Address::ZERO);
        }
        let report = check(&s).all_succeed();
        assert_eq!(report.account(authority).unwrap().nonce, ROUNDS / 2 * 7);
    }
}

/// Payments and calls in three blocks; the transaction at `bad` of the last one has a nonce that does not fit.
fn with_bad_nonce(fork: Fork, bad: u64, by_call: bool, shift: i64) -> Scenario {
    let (mut s, users) = setting(fork);
    for block in 0..3 {
        for n in 0..12 {
            let from = users[n as usize % 3];
            let tx = if by_call == (n == bad) { Tx::call(from, at(3)) } else { Tx::pay(from, at(900), 1) };
            let is_bad = block == 2 && n == bad;
            let nonce = s.nonce(from);
            s.tx(if is_bad { tx.nonce(nonce.checked_add_signed(shift).unwrap()) } else { tx });
            s.set_nonce(from, nonce + 1);
        }
        s.next_block();
    }
    s
}

#[test]
fn a_nonce_that_does_not_fit_is_refused_wherever_it_is() {
    for fork in [Fork::London, Fork::Prague] {
        for bad in [0, 1, 5, 11] {
            for by_call in [false, true] {
                for (shift, reason) in [(-1, "NonceTooLow"), (1, "NonceTooHigh")] {
                    let report = check(&with_bad_nonce(fork, bad, by_call, shift));
                    assert_eq!(report.blocks.len(), 2);
                    let error = report.error.unwrap();
                    assert!(error.starts_with("Transaction") && error.contains(reason), "{error}");
                    assert!(error.contains(&format!("index: {bad},")), "{error}");
                }
            }
        }
    }
}

/// One account that all calls are by: its nonces are predicted, those behind the first of a run follow from that one's.
#[test]
fn calls_and_transfers_of_one_sender_do_not_conflict() {
    let (mut s, [a, b, _]) = setting(Fork::Prague);
    s.contract(at(5), &[op::STOP], 0);
    for n in 0..400 {
        s.tx(Tx::call(a, at(5)));
        s.tx(Tx::pay(b, at(900), 1));
        if n % 3 == 0 {
            s.tx(Tx::pay(a, at(901), 1));
        }
    }
    let (blocks, report) = (s.blocks(), s.expect());
    for (how, executor) in executors() {
        for _ in 0..3 {
            let store = SlowStore::new(&s.store, 0, &[]);
            let streamed = stream_watched(&executor, &blocks, &store, Cut::Never, NEVER, |_| ());
            assert_like(&streamed, &report, &how);
            assert_eq!(streamed.metrics.conflicts, 0, "{how}");
        }
    }
}

#[test]
fn what_a_block_logs_of_itself_is_not_its_neighbour_s() {
    for fork in FORKS {
        let (mut s, [a, b, c]) = setting(fork);
        let logs = crate::common::asm::asm()
            .log(crate::common::asm::get(op::NUMBER))
            .log(crate::common::asm::get(op::COINBASE));
        s.contract(at(5), &logs.op(op::STOP).build(), 0);
        for n in 0..ROUNDS {
            s.header().beneficiary = at(0xb0 + n % 3);
            s.tx(Tx::call(a, at(5)));
            s.tx(Tx::pay(b, at(0xb0), 1));
            s.tx(Tx::pay(c, at(900), 1));
            s.next_block();
        }
        check(&s).all_succeed();
    }
}

/// The first transactions of a block.
fn beginning(fork: Fork, count: usize) -> Scenario {
    let (mut s, [a, b, c]) = setting(fork);
    let transactions = [
        Tx::pay(a, b, 5),
        Tx::pay(b, at(900), 7),
        look(c, at(900)),
        Tx::call(a, at(3)),
        Tx::pay(a, at(901), 0),
        Tx::call(b, at(3)),
        Tx::pay(c, a, 9),
        forward(a, c, 3),
        Tx::pay(b, c, 1),
        Tx::pay(b, at(900), 1),
    ];
    transactions.into_iter().take(count).for_each(|tx| s.tx(tx));
    s
}

/// All accounts and slots.
type Contents = (BTreeMap<Address, Account>, BTreeMap<(Address, U256), U256>);

fn contents(store: &MemoryStore) -> Contents {
    let accounts = store.accounts().map(|(address, account)| (*address, *account)).collect();
    let slots = store.slots().map(|(address, slot, value)| ((address, slot), value)).collect();
    (accounts, slots)
}

/// The state that the plain loop leaves behind the first transactions.
fn plain_state(fork: Fork, count: usize) -> Contents {
    let s = beginning(fork, count);
    let blocks: Vec<_> = s.blocks().into_iter().map(Block::without_system_steps).collect();
    contents(&execute_plainly(&blocks, &s.store).valid().state)
}

#[test]
fn the_parts_of_a_block_are_what_the_plain_loop_has_done_until_there() {
    // Before Byzantium a receipt holds the state's root, so that each transaction is a part.
    for fork in [Fork::Homestead, Fork::Petersburg, Fork::London, Fork::Shanghai, Fork::Prague] {
        let s = beginning(fork, usize::MAX);
        let count = s.blocks()[0].transaction_count();
        let blocks: Vec<_> = s.blocks().into_iter().map(Block::without_system_steps).collect();
        let states: Vec<_> = (0..=count).map(|count| plain_state(fork, count)).collect();
        for (how, executor) in executors() {
            for every in [1, 2, 3] {
                let store = SlowStore::new(&s.store, 0, &[]);
                let streamed = stream_watched(&executor, &blocks, &store, Cut::Never, every, |_| ());
                let every = if fork == Fork::Homestead { 1 } else { every };
                let parts = streamed.finished[0].parts();
                assert_eq!(parts.len(), count / every + 1, "{how}");
                let mut state = s.store.clone();
                for (index, part) in parts.iter().enumerate() {
                    apply(&mut state, &part.state_changes());
                    let done = count.min((index + 1) * every);
                    assert!(contents(&state) == states[done], "{how}, {fork:?}, after {done} in {every}s");
                }
            }
        }
    }
}
