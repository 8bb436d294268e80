//! Delegations (EIP-7702).

use crate::common::asm::{arg, asm, deploys, get, num, word};
use crate::common::contracts::*;
use crate::common::{Fork, Scenario, Signer, Tx, at, ether};
use alloy_primitives::{Address, U256};
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

fn is_delegated(report: &crate::common::Report, authority: Address) -> bool {
    report.account(authority).unwrap().code_hash != alloy_primitives::KECCAK256_EMPTY
}

#[test]
fn a_self_sponsored_transaction_raises_its_own_nonce_twice() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        for n in 0..4 {
            s.tx(Tx::delegate(signer.address, signer.address, vec![signer.authorize(at(1), 3 * n + 1)]));
            s.set_nonce(signer.address, 3 * n + 2);
            s.tx(Tx::pay(signer.address, at(900), 1));
        }
        let report = s.check().all_succeed();
        assert_eq!(report.account(signer.address).unwrap().nonce, 12);
        assert_eq!(report.storage(signer.address, 0), 4);
    }
}

#[test]
fn a_self_sponsored_transaction_with_its_own_nonce_in_the_authorization_delegates_nothing() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        s.tx(Tx::delegate(signer.address, signer.address, vec![signer.authorize(at(1), 0)]));
        s.tx(Tx::pay(signer.address, at(900), 1));
        let report = s.check().all_succeed();
        assert!(!is_delegated(&report, signer.address));
    }
}

#[test]
fn a_sender_that_ignores_the_nonce_its_authorization_took_is_refused() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        let user = s.user(0);
        s.spin();
        s.tx(Tx::delegate(user, at(900), vec![signer.authorize(at(1), 0)]));
        s.tx(Tx::pay(signer.address, at(900), 1));
        s.spin();
        assert!(s.check().error.unwrap().contains("NonceTooLow"));
    }
}

#[test]
fn a_delegation_is_set_changed_and_cleared_in_one_block() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        for (nonce, target) in [at(1), at(2), Address::ZERO, at(1), at(1), at(2)].into_iter().enumerate() {
            let (user, other) = (s.user(0), s.user(1 + nonce as u64));
            s.tx(Tx::delegate(user, signer.address, vec![signer.authorize(target, nonce as u64)]));
            s.tx(Tx::call(other, signer.address));
            s.tx(Tx::call(other, signer.address).value(3));
            if nonce == 3 {
                s.spin();
                s.next_block();
            }
        }
        let report = s.check().all_succeed();
        assert_eq!(report.storage(signer.address, 0), 3 * 3 + 2 * 300);
    }
}

#[test]
fn a_delegation_is_set_changed_and_cleared_in_one_list() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        let targets = [at(1), Address::ZERO, at(2), at(1), at(2), Address::ZERO, at(1)];
        for first in 0..3 {
            let user = s.user(first);
            let base = s.nonce(signer.address);
            let list: Vec<_> =
                (0..4).map(|n| signer.authorize(targets[(first + n) as usize], base + n)).collect();
            s.set_nonce(signer.address, base + 4);
            s.tx(Tx::delegate(user, signer.address, list));
            s.tx(Tx::call(user, signer.address));
        }
        s.check().all_succeed();
    }
}

#[test]
fn the_authority_is_the_beneficiary() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        s.header().beneficiary = signer.address;
        for n in 0..4 {
            let (user, other) = (s.user(n), s.user(9));
            let target = if n % 2 == 0 { at(1) } else { Address::ZERO };
            s.tx(Tx::delegate(user, signer.address, vec![signer.authorize(target, n)]));
            s.tx(Tx::call(other, signer.address).value(1));
        }
        s.check().all_succeed();
    }
}

#[test]
fn the_authority_is_an_unknown_beneficiary() {
    for fork in FORKS {
        let (mut s, _) = setting(fork);
        let signer = Signer::new(77);
        s.header().beneficiary = signer.address;
        for n in 0..4 {
            let (user, other) = (s.user(n), s.user(9));
            s.spin();
            s.tx(Tx::delegate(user, at(900), vec![signer.authorize(at(1), n)]));
            s.tx(Tx::call(other, signer.address));
        }
        s.check().all_succeed();
    }
}

#[test]
fn the_authority_is_where_a_contract_is_to_be_created() {
    for fork in FORKS {
        let (mut s, _) = setting(fork);
        // The signer creates a contract whose address can sign: it is the signer of another key only by chance, so
        // the collision is made the other way round, by an account that has storage and code already.
        let signer = Signer::new(5);
        let creator = s.user(0);
        let target = creator.create(0);
        s.tx(Tx::delegate(at(0x1000), target, vec![signer.authorize(target, 0)]).nonce(0));
        s.set_nonce(creator, 1);
        s.tx(Tx::create(creator, deploys(&counter())));
        let user = s.user(1);
        s.tx(Tx::call(user, signer.address));
        s.tx(Tx::delegate(user, signer.address, vec![signer.authorize(creator.create(1), 1)]));
        s.tx(Tx::call(user, signer.address));
        let report = s.check().all_succeed();
        assert_eq!(report.storage(signer.address, 0), 2);
    }
}

#[test]
fn a_delegated_account_creates_contracts_and_sends_transactions() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        s.contract(at(3), &factory(&counter()), 0);
        let user = s.user(0);
        s.tx(Tx::delegate(user, signer.address, vec![signer.authorize(at(3), 0)]));
        // Its nonce is 2 now: the authorization raised it, then the creation.
        s.set_nonce(signer.address, 2);
        for n in 0..4 {
            let other = s.user(1 + n);
            s.tx(Tx::call(other, signer.address));
            let nonce = s.nonce(signer.address) + 1;
            s.set_nonce(signer.address, nonce);
            s.tx(Tx::pay(signer.address, at(900), 7));
            s.tx(Tx::create(signer.address, deploys(&mortal())));
        }
        let report = s.check().all_succeed();
        assert_eq!(report.account(signer.address).unwrap().nonce, 2 + 4 * 3);
    }
}

#[test]
fn a_delegated_account_with_storage_is_delegated_elsewhere() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        s.set_storage(signer.address, 0, 1_000);
        s.set_storage(signer.address, 7, 1);
        let user = s.user(0);
        for n in 0..6 {
            s.tx(Tx::delegate(user, signer.address, vec![signer.authorize(at(1 + n % 2), n)]));
            for other in 1..4 {
                let other = s.user(other);
                s.tx(Tx::call(other, signer.address));
            }
            if n % 2 == 1 {
                s.next_block();
            }
        }
        let report = s.check().all_succeed();
        assert_eq!(report.storage(signer.address, 0), 1_000 + 4 * 3 + 4 * 300);
    }
}

#[test]
fn an_authority_that_others_fund_concurrently() {
    for fork in FORKS {
        let (mut s, _) = setting(fork);
        for n in 0..6 {
            let signer = Signer::new(100 + n);
            let (payer, user) = (s.user(n), s.user(50 + n));
            s.slow.push(payer);
            s.spin();
            if n % 3 > 0 {
                s.tx(Tx::pay(payer, signer.address, n % 2));
            }
            s.tx(Tx::delegate(user, at(900), vec![signer.authorize(at(1), 0)]));
            s.tx(Tx::call(user, signer.address));
        }
        s.check_often().all_succeed();
    }
}

#[test]
fn an_empty_account_that_was_touched_does_not_exist() {
    for fork in FORKS {
        let (mut s, _) = setting(fork);
        let (signer, user) = (Signer::new(100), s.user(0));
        s.contract(at(3), &looker(op::BALANCE), 0);
        s.tx(Tx::pay(user, signer.address, 0));
        s.tx(Tx::call(user, at(3)).words(&[word(signer.address)]));
        s.tx(Tx::delegate(user, at(900), vec![signer.authorize(at(1), 0)]));
        s.check().all_succeed();
    }
}

#[test]
fn authorizations_that_an_earlier_transaction_made_invalid() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        for n in 0..4 {
            let user = s.user(n);
            // Every other one is stale.
            let list = vec![signer.authorize(at(1 + n % 2), n / 2), signer.authorize(at(2), n / 2 + 5)];
            s.tx(Tx::delegate(user, signer.address, list));
        }
        s.set_nonce(signer.address, 2);
        s.tx(Tx::pay(signer.address, at(900), 1));
        let user = s.user(9);
        s.tx(Tx::delegate(user, signer.address, vec![signer.authorize(Address::ZERO, 2)]));
        s.tx(Tx::delegate(user, signer.address, vec![signer.authorize(Address::ZERO, 3)]));
        let report = s.check().all_succeed();
        assert!(!is_delegated(&report, signer.address));
    }
}

#[test]
fn an_authority_with_code_of_its_own_is_left_alone() {
    for fork in FORKS {
        let (mut s, _) = setting(fork);
        let signer = Signer::new(100);
        s.contract(signer.address, &counter(), 0);
        let user = s.user(0);
        for _ in 0..3 {
            s.tx(Tx::delegate(user, signer.address, vec![signer.authorize(at(2), 1)]));
        }
        let report = s.check().all_succeed();
        assert_eq!(report.storage(signer.address, 0), 3);
    }
}

#[test]
fn delegates_that_destroy_themselves_sweep_the_authority() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        s.contract(at(3), &mortal(), 0);
        s.fund(at(900), 1);
        let user = s.user(0);
        s.tx(Tx::delegate(user, at(901), vec![signer.authorize(at(3), 0)]));
        for n in 0..5 {
            let (payer, other) = (s.user(10 + n), s.user(20 + n));
            s.slow.push(payer);
            s.tx(Tx::call(payer, signer.address).value(5));
            s.tx(Tx::call(other, signer.address).words(&[word(at(900))]));
            s.tx(Tx::pay(payer, signer.address, 3).gas(60_000));
        }
        s.check_often().all_succeed();
    }
}

#[test]
fn a_chain_of_delegations_is_followed_one_step_only() {
    for fork in FORKS {
        let (mut s, first) = setting(fork);
        let second = Signer::new(2);
        s.contract(at(4), &looker(op::EXTCODEHASH), 0);
        let user = s.user(0);
        let list = vec![first.authorize(second.address, 0), second.authorize(at(1), 0)];
        s.tx(Tx::delegate(user, first.address, list));
        for n in 0..3 {
            let other = s.user(1 + n);
            s.tx(Tx::call(other, second.address));
            s.tx(Tx::call(other, first.address));
            s.tx(Tx::call(other, at(4)).words(&[word(first.address)]));
            s.tx(Tx::delegate(other, at(900), vec![second.authorize(at(2 - n % 2), n + 1)]));
        }
        s.check().valid();
    }
}

#[test]
fn a_type_4_transaction_that_reverts_keeps_its_delegations() {
    for fork in FORKS {
        let (mut s, signer) = setting(fork);
        s.contract(at(3), &asm().revert().build(), 0);
        s.contract(at(4), &asm().sstore(arg(0), num(1)).op(op::STOP).build(), 0);
        let user = s.user(0);
        s.tx(Tx::delegate(user, at(3), vec![signer.authorize(at(4), 0)]));
        s.tx(Tx::call(user, signer.address).words(&[U256::from(6)]));
        let report = s.check().valid();
        assert_eq!(report.successes(0), [false, true]);
        assert_eq!(report.storage(signer.address, 6), 1);
    }
}

#[test]
fn only_an_exact_designator_is_a_delegation_and_only_from_prague_on() {
    let target = at(1);
    let designator = [&[0xef, 0x01, 0x00][..], target.as_slice()].concat();
    let other_version = [&[0xef, 0x01, 0x01][..], target.as_slice()].concat();
    let codes = [
        designator.clone(),
        other_version,
        designator[..22].to_vec(),
        [&designator[..], &[0]].concat(),
        vec![0xef, 0x01],
    ];
    for fork in [Fork::Byzantium, Fork::Berlin, Fork::London, Fork::Shanghai, Fork::Cancun, Fork::Prague] {
        for (n, code) in codes.iter().enumerate() {
            let is_delegation = n == 0 && fork >= Fork::Prague;
            let mut s = Scenario::new(fork);
            s.contract(target, &counter(), 0);
            let account = at(2);
            s.contract(account, code, ether(1));
            s.contract(at(3), &forwarder(), 10);
            let (user, other) = (s.user(0), s.user(1));
            s.tx(Tx::call(user, account));
            s.tx(Tx::call(other, at(3)).words(&[word(account), U256::ZERO]));
            s.tx(Tx::pay(user, at(900), 1));
            let report = s.check().valid();
            assert_eq!(report.successes(0)[0], is_delegation, "{fork:?}, {code:x?}");
            assert_eq!(report.storage(account, 0) > 0, is_delegation, "{fork:?}, {code:x?}");
            // Whoever has code cannot send, unless it delegates.
            s.next_block();
            s.tx(Tx::pay(account, at(901), 1));
            let report = s.check();
            assert_eq!(report.error.is_none(), is_delegation, "{fork:?}, {code:x?}");
        }
    }
}
