//! Whole blocks: their starts, ends and failures. Unusual sizes, and failures while speculating, are in `hazards`.

use crate::common::asm::{addr, arg, asm, deploys, get, num, of, slot, word};
use crate::common::contracts::*;
use crate::common::gates::{Event, Trouble};
use crate::common::{Fork, Scenario, Tx, at, ether, stream, with_executor};
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::{Address, U256, address, b256};
use revm::bytecode::opcode as op;
use tandem_evm::{Cut, ExecutionError};

#[test]
fn all_types_of_transactions() {
    let mut s = Scenario::new(Fork::Bpo2);
    s.contract(at(1), &counter(), 0);
    for _ in 0..3 {
        for ty in 0..4 {
            let user = s.user(ty);
            s.tx(Tx::call(user, at(1)).ty(ty as u8));
        }
    }
    let report = s.check().all_succeed();
    assert_eq!(report.storage(at(1), 0), 12);
}

#[test]
fn gas_limits_that_do_not_fit_condemn_the_block() {
    for fork in [Fork::Homestead, Fork::London, Fork::Prague] {
        let mut s = Scenario::new(fork);
        for _ in 0..2 {
            for n in 0..5 {
                let user = s.user(n);
                s.tx(Tx::pay(user, at(900), 1).gas(50_000));
            }
            s.next_block();
        }
        s.header().gas_limit = 4 * 21_000 + 49_999;
        for n in 0..8 {
            let user = s.user(n);
            s.tx(Tx::pay(user, at(900), 1).gas(50_000));
        }
        let report = s.check();
        assert_eq!(report.blocks.len(), 2);
        let error = report.error.unwrap();
        assert!(error.contains("GasLimit { index: 4, wanted: 50000, available: 49999 }"), "{error}");
    }
}

/// The first two accounts of the DAO's list.
const DAO: [Address; 2] = [
    address!("d4fe7bc31cedb7bfb8a345f31e668033056b2728"),
    address!("b3fb0e5aba0e20e5c49d252dfd30e102b171a425"),
];

#[test]
fn the_dao_s_funds_move_at_the_fork() {
    let mut s = Scenario::new(Fork::Dao);
    let refund = address!("bf4ed7b27f1d666546e30d74d50d173d20bca754");
    s.fund(DAO[0], ether(3));
    s.contract(DAO[1], &forwarder(), ether(4));
    s.contract(at(1), &looker(op::BALANCE), 0);
    for n in 0..4 {
        let user = s.user(n);
        s.tx(Tx::call(user, at(1)).words(&[word(DAO[n as usize % 2])]));
        s.tx(Tx::call(user, at(1)).words(&[word(refund)]));
        s.tx(Tx::call(user, DAO[1]).words(&[word(at(900)), U256::from(n)]).value(n % 2));
    }
    s.next_block();
    let user = s.user(1);
    s.tx(Tx::pay(user, DAO[0], 5));
    let report = s.check().valid();
    assert_eq!(report.account(refund).unwrap().balance, ether(7));
    assert_eq!(report.account(DAO[0]).unwrap().balance, U256::from(5));
}

#[test]
fn rewards_before_the_merge() {
    for fork in [Fork::Frontier, Fork::Tangerine, Fork::Byzantium, Fork::Petersburg, Fork::London] {
        let mut s = Scenario::new(fork);
        let beneficiary = s.header().beneficiary;
        s.contract(at(1), &looker(op::BALANCE), 0);
        for _ in 0..3 {
            for n in 0..3 {
                let user = s.user(n);
                s.tx(Tx::call(user, at(1)).words(&[word(beneficiary)]));
                s.tx(Tx::pay(user, at(900), 4));
            }
            s.ommer(1, at(900));
            s.ommer(2, beneficiary);
            s.next_block();
        }
        s.check().all_succeed();
    }
}

#[test]
fn withdrawals_to_accounts_that_transactions_use() {
    for fork in [Fork::Shanghai, Fork::Prague] {
        let mut s = Scenario::new(fork);
        let beneficiary = s.header().beneficiary;
        s.contract(at(1), &forwarder(), 0);
        for _ in 0..3 {
            for n in 0..3 {
                let user = s.user(n);
                s.tx(Tx::call(user, at(1)).words(&[word(at(901)), U256::from(1_000_000_000)]).value(1));
                s.withdraw(user, 5);
            }
            for (address, amount) in [(at(1), 1), (beneficiary, 2), (at(902), 0), (at(902), 3), (at(903), 0)]
            {
                s.withdraw(address, amount);
            }
            s.next_block();
        }
        let report = s.check().all_succeed();
        assert_eq!(report.account(at(903)), None);
    }
}

/// Logs what a contract answers to one word.
fn asker(contract: Address, question: crate::common::asm::Asm) -> Vec<u8> {
    asm()
        .mstore(0, question)
        .then(num(32))
        .then(num(64))
        .then(num(32))
        .then(num(0))
        .then(addr(contract))
        .then(get(op::GAS))
        .op(op::STATICCALL)
        .op(op::POP)
        .log(num(64).op(op::MLOAD))
        .op(op::STOP)
        .build()
}

#[test]
fn what_the_block_s_start_stored_is_read() {
    for fork in [Fork::Cancun, Fork::Prague] {
        let mut s = Scenario::new(fork);
        s.contract(at(1), &asker(eip4788::BEACON_ROOTS_ADDRESS, get(op::TIMESTAMP)), 0);
        let parent = num(1).then(get(op::NUMBER)).op(op::SUB);
        s.contract(at(2), &asker(eip2935::HISTORY_STORAGE_ADDRESS, parent), 0);
        for _ in 0..4 {
            for n in 0..3 {
                let user = s.user(n);
                s.tx(Tx::call(user, at(1)));
                s.tx(Tx::call(user, at(2)));
            }
            s.spin();
            s.next_block();
        }
        let report = s.check().all_succeed();
        let logs = |block: usize| report.blocks[block].receipts[0].logs[0].data.data.clone();
        assert_ne!(logs(0), logs(1));
    }
}

#[test]
fn requests_made_by_transactions_leave_with_the_block() {
    for fork in [Fork::Prague, Fork::Bpo2] {
        let mut s = Scenario::new(fork);
        let withdrawals = eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
        let consolidations = eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS;
        for block in 0..4 {
            for n in 0..block * 2 {
                let user = s.user(n);
                s.tx(Tx::call(user, withdrawals).input(vec![n as u8; 56]).value(1_000_000));
                s.tx(Tx::call(user, consolidations).input(vec![n as u8; 96]).value(1_000_000));
            }
            s.next_block();
        }
        let report = s.check().all_succeed();
        assert_eq!(report.blocks[1].requests.as_ref().unwrap().len(), 2);
        assert_eq!(report.blocks[0].requests.as_ref().unwrap().len(), 0);
    }
}

#[test]
fn a_missing_system_contract_condemns_the_block() {
    for contract in
        [eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS]
    {
        let mut s = Scenario::new(Fork::Prague);
        s.store.remove_account(contract);
        let user = s.user(0);
        s.tx(Tx::pay(user, contract, 1).gas(60_000));
        let error = s.check().error.unwrap();
        assert!(error.contains("NoSystemContract"), "{error}");
        s.contract(contract, &asm().revert().build(), 0);
        let error = s.check().error.unwrap();
        assert!(error.contains("SystemCall") || error.contains("Transaction"), "{error}");
    }
}

#[test]
fn a_system_contract_that_the_block_deploys_is_called_at_its_end() {
    let deployers = [
        (
            address!("0x8646861A7cF453dDD086874d622b0696dE5b9674"),
            eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
            &eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE,
        ),
        (
            address!("0x13d1913d623E6a9D8811736359E50fD31Fe54fCA"),
            eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
            &eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE,
        ),
    ];
    for (deployer, contract, code) in deployers {
        for fork in [Fork::Prague, Fork::Bpo2] {
            let mut s = Scenario::new(fork);
            s.store.remove_account(contract);
            s.fund(deployer, ether(1));
            let user = s.user(0);
            s.tx(Tx::pay(user, at(900), 1));
            s.tx(Tx::create(deployer, deploys(code)).gas(2_000_000));
            s.tx(Tx::pay(user, at(901), 1));
            let report = s.check().all_succeed();
            assert!(report.account(contract).is_some());
        }
    }
}

#[test]
fn system_calls_have_thirty_million_gas() {
    const GAS: u64 = 30_000_000;
    // What is left after the instruction that asks.
    let left = U256::from(GAS - 2);
    for fork in [Fork::Cancun, Fork::Prague, Fork::Bpo2] {
        let mut s = Scenario::new(fork);
        let at_start = [eip4788::BEACON_ROOTS_ADDRESS, eip2935::HISTORY_STORAGE_ADDRESS];
        let at_end =
            [eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS];
        for contract in at_start {
            s.contract(contract, &asm().sstore(num(0), get(op::GAS)).op(op::STOP).build(), 0);
        }
        let answer = asm().mstore(0, get(op::GAS)).then(num(32)).then(num(0)).op(op::RETURN).build();
        for contract in at_end {
            s.contract(contract, &answer, 0);
        }
        let user = s.user(0);
        s.tx(Tx::pay(user, at(900), 1));
        let report = s.check().all_succeed();
        assert_eq!(report.storage(at_start[0], 0), left.to::<u64>());
        if fork >= Fork::Prague {
            assert_eq!(report.storage(at_start[1], 0), left.to::<u64>());
            let requests = report.blocks[0].requests.as_ref().unwrap();
            let answers: Vec<_> = requests.iter().map(|request| U256::from_be_slice(&request[1..])).collect();
            assert_eq!(answers, [left; 2]);
        }
    }
}

/// Data of a deposit's log as EIP-6110 has it.
fn deposit() -> Vec<u8> {
    let word = |number: u64| U256::from(number).to_be_bytes::<32>();
    let mut data: Vec<u8> = [160, 256, 320, 384, 512].into_iter().flat_map(word).collect();
    for (length, room) in [(48, 64), (32, 32), (8, 32), (96, 96), (8, 32)] {
        data.extend(word(length));
        data.extend(vec![length as u8; length as usize]);
        data.resize(data.len() + (room - length) as usize, 0);
    }
    data
}

#[test]
fn a_deposit_is_laid_out_exactly_or_the_block_is_invalid() {
    let contract = address!("0x00000000219ab540356cBB839Cbe05303d7705Fa");
    let topic = b256!("0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
    let cases = |data: Vec<u8>| {
        let changed = |at: usize| {
            let mut data = data.clone();
            data[at] ^= 1;
            data
        };
        let mut wrong: Vec<_> = [31, 63, 95, 127, 159, 191, 287, 351, 415, 543].map(changed).to_vec();
        wrong.extend([data[..575].to_vec(), [&data[..], &[0; 32]].concat(), vec![]]);
        wrong
    };
    for fork in [Fork::Cancun, Fork::Prague, Fork::Bpo2] {
        let block = |data: &[u8]| {
            let mut s = Scenario::new(fork);
            // Logs what it is called with.
            let log = asm()
                .then(get(op::CALLDATASIZE))
                .then(num(0))
                .then(num(0))
                .op(op::CALLDATACOPY)
                .push(topic.into())
                .then(get(op::CALLDATASIZE))
                .then(num(0))
                .op(op::LOG1)
                .op(op::STOP);
            s.contract(contract, &log.build(), 0);
            let user = s.user(0);
            s.tx(Tx::pay(user, at(900), 1));
            s.tx(Tx::call(user, contract).input(data.to_vec()));
            s
        };
        let report = block(&deposit()).check().all_succeed();
        if fork >= Fork::Prague {
            let requests = report.blocks[0].requests.as_ref().unwrap();
            assert_eq!(requests[0].len(), 1 + 192);
        }
        for data in cases(deposit()) {
            let report = block(&data).check();
            assert_eq!(report.error.is_some(), fork >= Fork::Prague, "{data:?}");
        }
    }
}

#[test]
fn hashes_of_blocks_in_the_stream_and_before_it() {
    for fork in [Fork::Frontier, Fork::London, Fork::Cancun] {
        let mut s = Scenario::new(fork);
        // Logs the hash of the block so many before this one, and mixes it into slot 0.
        let ask = || of(op::BLOCKHASH, arg(0).then(get(op::NUMBER)).op(op::SUB));
        s.contract(
            at(1),
            &asm().log(ask()).sstore(num(0), ask().then(slot(0)).op(op::XOR)).op(op::STOP).build(),
            0,
        );
        for _ in 0..5 {
            for (n, back) in [0, 1, 2, 3, 4, 50, 256, 257].into_iter().enumerate() {
                let user = s.user(n as u64);
                s.tx(Tx::call(user, at(1)).words(&[U256::from(back)]));
            }
            s.next_block();
        }
        s.check().all_succeed();
    }
}

/// Six blocks of some payments; the fourth reads what nobody else does.
fn with_a_rare_account(fork: Fork) -> (Scenario, Address) {
    let mut s = Scenario::new(fork);
    let rare = at(0xfa017);
    let first = s.user(99);
    s.tx(Tx::pay(first, at(900), 1));
    for block in 0..6 {
        for n in 0..6 {
            let user = s.user(n);
            s.tx(Tx::pay(user, if block == 3 && n == 3 { rare } else { at(900 + n) }, 1));
        }
        s.next_block();
    }
    (s, rare)
}

const WAYS: [(usize, usize); 7] = [(1, 0), (2, 0), (4, 0), (8, 0), (2, 2), (4, 8), (8, 2)];

#[test]
fn a_store_that_fails_is_a_fault_of_its_block_and_leaves_the_earlier_ones() {
    for fork in [Fork::Homestead, Fork::Prague] {
        let (s, rare) = with_a_rare_account(fork);
        let blocks = s.blocks();
        for (threads, window) in WAYS {
            for cut in [Cut::Never, Cut::Batch] {
                let store = s.gates(&[]).with_trouble(Event::Read(rare), Trouble::Fault, usize::MAX);
                let streamed = stream(&with_executor(threads, window), &blocks, &store, cut);
                assert_eq!(streamed.finished.len(), 3);
                match streamed.error {
                    Some(ExecutionError::Fault { block, .. }) => assert_eq!(block, blocks[3].id()),
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_store_that_panics_ends_the_stream_with_an_internal_error() {
    let (s, rare) = with_a_rare_account(Fork::Prague);
    let blocks = s.blocks();
    for (threads, window) in WAYS {
        let executor = with_executor(threads, window);
        let store = s.gates(&[]).with_trouble(Event::Read(rare), Trouble::Panic, usize::MAX);
        let streamed = stream(&executor, &blocks, &store, Cut::Never);
        assert_eq!(streamed.finished.len(), 3);
        match streamed.error {
            Some(ExecutionError::Internal(message)) => {
                let block = format!("block {}: ", blocks[3].id());
                assert!(message.starts_with(&block) && message.contains("panics"), "{message}");
            }
            other => panic!("{other:?}"),
        }
        // The executor is as good as new.
        let store = s.gates(&[]);
        let streamed = stream(&executor, &blocks, &store, Cut::Never);
        assert!(streamed.error.is_none() && streamed.finished.len() == blocks.len());
    }
    s.check().all_succeed();
}
