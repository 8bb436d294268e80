//! EIP-7702: a transaction that raises its own sender's nonce twice; delegations that are set, changed and cleared in one
//! block; an authority that is the sender, the beneficiary or where something is created; a delegated account with
//! storage that is delegated elsewhere; changes of code that leave the code hash as it was.

use crate::common::asm::{asm, get, num};
use crate::common::contracts::*;
use crate::common::gates::{Event, hold};
use crate::common::{Fork, OrderResults, Scenario, Signer, Tx, at, ether};
use alloy_primitives::{Address, KECCAK256_EMPTY, U256};
use revm::bytecode::opcode as op;

const FORKS: [Fork; 2] = [Fork::Prague, Fork::Bpo2];

/// Two contracts to delegate to, at 1 and 2, and a signer with some ether.
fn setting(fork: Fork) -> (Scenario, Signer) {
    let mut s = Scenario::new(fork);
    s.contract(at(1), &counter(), 0);
    s.contract(at(2), &asm().add_to(0, num(100)).log(get(op::ADDRESS)).op(op::STOP).build(), 0);
    let signer = Signer::new(1);
    s.fund(signer.address, ether(1));
    (s, signer)
}

/// An act with authorizations of one signer, from a nonce on.
fn authorize(s: &mut Scenario, signer: &Signer, nonce: u64, targets: &[Address], steps: Vec<Do>) {
    let authorizations =
        (nonce..).zip(targets).map(|(nonce, target)| signer.authorize(*target, nonce)).collect();
    s.act_with(steps, |tx| Tx { ty: 4, authorizations, ..tx });
}

fn call(signer: &Signer) -> Vec<Do> {
    vec![pays(signer.address, 1)]
}

/// The code of an account that is delegated.
fn delegation_to(address: Address) -> Vec<u8> {
    [&[0xef, 0x01, 0x00], address.as_slice()].concat()
}

fn is_delegated(runs: &OrderResults, signer: &Signer) -> bool {
    runs.account(signer.address).unwrap().code_hash != KECCAK256_EMPTY
}

fn nonce(runs: &OrderResults, signer: &Signer) -> u64 {
    runs.account(signer.address).unwrap().nonce
}

/// A self-sponsored transaction that is held at its end, then one of the same sender with a nonce so much higher, and an
/// act that delegates the sender once more.
fn self_sponsored(fork: Fork, next: u64) -> (Scenario, Signer) {
    let (mut s, signer) = setting(fork);
    s.contract(at(3), &interpreter(), 0);
    let held = script([Do::Mark(10)]);
    s.tx(Tx::delegate(signer.address, at(3), vec![signer.authorize(at(1), 1)]).input(held));
    s.tx(Tx::pay(signer.address, at(900), 1).nonce(next));
    authorize(&mut s, &signer, 3, &[at(2)], call(&signer));
    (s, signer)
}

#[test]
fn a_self_sponsored_transaction_raises_its_own_nonce_twice() {
    for fork in FORKS {
        let (s, signer) = self_sponsored(fork, 2);
        let early = [hold(Event::Mark(10), [Event::Read(at(900)), s.end_of(0)])];
        let runs = s.check_held(early).conflict_about("code");
        assert_eq!(nonce(&runs, &signer), 4);
        s.check_held([hold(Event::Read(at(900)), [Event::Final(0)])]).valid();
    }
}

#[test]
fn a_nonce_that_a_self_sponsored_transaction_took_is_refused_and_so_is_the_one_after_the_next() {
    for fork in FORKS {
        for (next, reason) in [(1, "NonceTooLow"), (3, "NonceTooHigh")] {
            let (s, _) = self_sponsored(fork, next);
            for holds in [
                hold(Event::Mark(10), [Event::Read(at(900)), s.end_of(0)]),
                hold(Event::Read(at(900)), [Event::Final(0)]),
            ] {
                let error = s.check_held([holds]).report.error.unwrap();
                assert!(error.contains(reason) && error.contains("index: 1"), "{error}");
            }
        }
    }
}

#[test]
fn a_delegation_is_set_changed_and_cleared_in_one_block() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        authorize(&mut s, &signer, 0, &[at(1)], call(&signer));
        authorize(&mut s, &signer, 1, &[at(2)], call(&signer));
        authorize(&mut s, &signer, 2, &[Address::ZERO], vec![]);
        s.act(call(&signer));
        let runs = s.check_orders().conflict_about("code");
        assert!(!is_delegated(&runs, &signer));
        assert_eq!(runs.report.storage(signer.address, 0), 101);
    }
}

#[test]
fn a_delegation_is_set_changed_and_cleared_in_one_list() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        authorize(&mut s, &signer, 0, &[at(1), Address::ZERO, at(2)], call(&signer));
        authorize(&mut s, &signer, 3, &[Address::ZERO, at(1), Address::ZERO], vec![]);
        s.act(call(&signer));
        let runs = s.check_orders().conflict_about("code");
        assert!(!is_delegated(&runs, &signer));
        assert_eq!(nonce(&runs, &signer), 6);
    }
}

#[test]
fn delegating_anew_to_the_same_code_changes_the_nonce_and_no_code_hash() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        s.contract(signer.address, &delegation_to(at(1)), ether(1));
        authorize(&mut s, &signer, 1, &[at(1)], call(&signer));
        authorize(&mut s, &signer, 2, &[at(1)], call(&signer));
        s.act(call(&signer));
        let runs = s.check_orders().conflict_about("nonce");
        assert_eq!((nonce(&runs, &signer), runs.report.storage(signer.address, 0)), (3, 3));
    }
}

#[test]
fn a_list_that_leaves_the_code_as_it_was_changes_the_nonce_alone() {
    for fork in FORKS {
        for before in [None, Some(at(2))] {
            let (mut s, signer) = setting(fork);
            if let Some(target) = before {
                s.contract(signer.address, &delegation_to(target), ether(1));
            }
            let (start, last) = (s.nonce(signer.address), before.unwrap_or_default());
            authorize(&mut s, &signer, start, &[at(1), last], call(&signer));
            authorize(&mut s, &signer, start + 2, &[at(1), Address::ZERO, last], call(&signer));
            s.act(call(&signer));
            let runs = s.check_orders().conflict_about("nonce");
            assert_eq!(nonce(&runs, &signer), start + 5);
            assert_eq!(is_delegated(&runs, &signer), before.is_some());
        }
    }
}

#[test]
fn two_accounts_that_get_the_same_code_in_one_block_both_have_it() {
    for fork in FORKS {
        let (mut s, one) = setting(fork);
        let (other, unseen) = (Signer::new(2), at(0xdead));
        authorize(&mut s, &one, 0, &[unseen], call(&one));
        authorize(&mut s, &other, 0, &[unseen], call(&other));
        s.act(vec![pays(one.address, 1), pays(other.address, 1)]);
        let runs = s.check_orders().conflict_about("code");
        assert!(is_delegated(&runs, &one) && is_delegated(&runs, &other));
    }
}

#[test]
fn the_authority_is_the_sender_of_a_later_transaction() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        authorize(&mut s, &signer, 0, &[at(1)], vec![]);
        s.tx(Tx::pay(signer.address, at(900), 1).nonce(1));
        authorize(&mut s, &signer, 2, &[Address::ZERO], vec![]);
        let runs = s.check_held([hold(s.end_of(0), [Event::Read(at(900)), s.end_of(1)])]);
        assert_eq!(nonce(&runs.conflict_about("code"), &signer), 3);
        s.check_held([hold(Event::Read(at(900)), [Event::Final(0)])]).valid();
        s.check_orders().conflict();
    }
}

#[test]
fn the_authority_is_the_beneficiary() {
    for fork in FORKS {
        for funded in [true, false] {
            let (mut s, mut signer) = setting(fork);
            if !funded {
                signer = Signer::new(2);
            }
            s.header().beneficiary = signer.address;
            authorize(&mut s, &signer, 0, &[at(1)], vec![]);
            authorize(&mut s, &signer, 1, &[Address::ZERO], vec![]);
            s.act(call(&signer));
            let runs = s.check_orders().conflict_about("code");
            assert_eq!(nonce(&runs, &signer), 2);
        }
    }
}

/// No key is known for the address of a contract to be, so an authority cannot itself come to be by a creation. What can
/// happen is that a delegation leads to where a contract is created in the same block.
#[test]
fn a_delegation_leads_to_an_address_at_which_a_contract_is_created() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        s.contract(at(3), &factory(&counter()), 0);
        let created = at(3).create(1);
        authorize(&mut s, &signer, 0, &[created], call(&signer));
        s.act([pays(at(3), 0)]);
        s.act(call(&signer));
        let runs = s.check_orders().conflict_about("code");
        assert_eq!(runs.report.storage(signer.address, 0), 1);
        assert_eq!(runs.report.storage(created, 0), 0);
    }
}

#[test]
fn an_authority_that_is_a_contract_is_left_alone_while_the_contract_creates() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        s.contract(signer.address, &factory(&counter()), 0);
        authorize(&mut s, &signer, 1, &[at(1)], vec![]);
        s.act(call(&signer));
        authorize(&mut s, &signer, 2, &[at(1)], call(&signer));
        let runs = s.check_orders().conflict_about("nonce");
        assert_eq!(nonce(&runs, &signer), 3);
        assert!(runs.account(signer.address.create(2)).is_some());
    }
}

#[test]
fn a_delegated_account_with_storage_is_delegated_elsewhere() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        s.contract(signer.address, &delegation_to(at(1)), ether(1));
        s.set_storage(signer.address, 0, 1_000);
        s.act(call(&signer));
        authorize(&mut s, &signer, 1, &[at(2)], vec![]);
        s.act(call(&signer));
        authorize(&mut s, &signer, 2, &[at(1)], call(&signer));
        let runs = s.check_orders().conflict_about("storage").conflict_about("code");
        assert_eq!(runs.report.storage(signer.address, 0), 1_102);
    }
}

#[test]
fn a_delegated_account_that_creates_raises_the_nonce_of_its_own_next_transaction() {
    for fork in FORKS {
        for (next, valid) in [(2, true), (1, false)] {
            let (mut s, signer) = setting(fork);
            s.contract(at(3), &factory(&counter()), 0);
            s.contract(signer.address, &delegation_to(at(3)), ether(1));
            s.act(call(&signer));
            s.tx(Tx::pay(signer.address, at(900), U256::ONE).nonce(next));
            for holds in
                [hold(s.end_of(0), [Event::Read(at(900))]), hold(Event::Read(at(900)), [Event::Final(0)])]
            {
                let error = s.check_held([holds]).report.error;
                assert_eq!(error.is_none(), valid);
                assert!(error.is_none_or(|error| error.contains("NonceTooLow")));
            }
        }
    }
}
