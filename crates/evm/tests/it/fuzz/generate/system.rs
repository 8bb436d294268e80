//! What belongs to the system: the deposit contract (EIP-6110), and system contracts that are not as usual, or not there yet.

use super::Generator;
use super::cast::COUNTER;
use crate::common::asm::{Asm, asm, deploys, get, num};
use crate::common::{Fork, Tx, at, ether};
use crate::fuzz::case::CaseAccount;
use alloy_eips::eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS;
use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
use alloy_primitives::{Address, Bytes, U256, address, b256};
use revm::bytecode::opcode as op;

/// A system contract, since when it is called, its code, and whose first creation it is.
type SystemContract = (Address, Fork, &'static Bytes, Address);

static SYSTEM: [SystemContract; 4] = [
    (
        eip4788::BEACON_ROOTS_ADDRESS,
        Fork::Cancun,
        &eip4788::BEACON_ROOTS_CODE,
        address!("0b799c86a49deeb90402691f1041aa3af2d3c875"),
    ),
    (
        eip2935::HISTORY_STORAGE_ADDRESS,
        Fork::Prague,
        &eip2935::HISTORY_STORAGE_CODE,
        address!("3462413af4609098e1e27a490f554f260213d685"),
    ),
    (
        eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
        Fork::Prague,
        &eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_CODE,
        address!("8646861a7cf453ddd086874d622b0696de5b9674"),
    ),
    (
        eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
        Fork::Prague,
        &eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_CODE,
        address!("13d1913d623e6a9d8811736359e50fd31fe54fca"),
    ),
];

/// Logs its input but for the first word, which says with which topics: as a deposit, with a second topic, as something else, with
/// none.
fn deposit_contract() -> Vec<u8> {
    let data = || num(32).op(op::CALLDATASIZE).op(op::SUB);
    let signature = b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
    let log = |topics: Asm, count: u8| topics.then(data()).then(num(0)).op(op::LOG0 + count).op(op::STOP);
    let signed = || asm().push(signature.into());
    let is = |kind: u64| num(kind).then(num(0)).op(op::CALLDATALOAD).op(op::EQ);
    asm()
        .then(data())
        .then(num(32))
        .then(num(0))
        .op(op::CALLDATACOPY)
        .jump_if(is(1), "two")
        .jump_if(is(2), "other")
        .jump_if(is(3), "none")
        .then(log(signed(), 1))
        .label("two")
        .then(log(num(7).then(signed()), 2))
        .label("other")
        .then(log(num(7), 1))
        .label("none")
        .then(log(asm(), 0))
        .build()
}

/// Stores and returns the gas that it finds.
fn gas_watcher() -> Vec<u8> {
    asm()
        .sstore(num(0), get(op::GAS))
        .mstore(0, get(op::GAS))
        .then(num(32))
        .then(num(0))
        .op(op::RETURN)
        .build()
}

impl Generator {
    /// Puts the deposit contract there, and changes system contracts now and then.
    pub(super) fn set_system(&mut self) {
        let contract = |address: Address, code: Vec<u8>| CaseAccount {
            address,
            balance: U256::ZERO,
            nonce: 1,
            code: code.into(),
            storage: vec![],
        };
        if self.fork >= Fork::Cancun {
            self.add(contract(MAINNET_DEPOSIT_CONTRACT_ADDRESS, deposit_contract()));
            self.hot.push(MAINNET_DEPOSIT_CONTRACT_ADDRESS);
        }
        for (address, since, _, deployer) in SYSTEM {
            if self.fork < since {
                continue;
            }
            match self.rng.below(40) {
                0..=2 => self.add(contract(address, gas_watcher())),
                3 => {
                    let code = self.programmer().runtime();
                    self.add(contract(address, code));
                }
                4 if self.rng.chance(30) => self.add(contract(address, asm().revert().build())),
                5 | 6 => {
                    self.remove(address);
                    self.add(CaseAccount { address: deployer, balance: ether(1), ..CaseAccount::default() });
                }
                _ => {}
            }
            if self.rng.chance(20) {
                self.hot.push(address);
            }
        }
    }

    /// Deploys the system contracts that are not there.
    pub(super) fn deployments(&mut self) -> Vec<Tx> {
        let missing = SYSTEM.iter().filter(|(address, ..)| self.case.absent.contains(address));
        missing
            .map(|(address, _, code, deployer)| {
                assert_eq!(deployer.create(0), *address);
                Tx::create(*deployer, deploys(code)).gas(1_000_000)
            })
            .collect()
    }

    /// A deposit, or a log of the deposit contract that is none.
    pub(super) fn deposit(&mut self, from: Address) -> Tx {
        if self.fork < Fork::Prague {
            return Tx::call(from, at(COUNTER));
        }
        let kind = self.rng.below(4);
        let data = if kind < 2 || self.rng.chance(50) {
            self.deposit_data()
        } else {
            vec![7; self.rng.below(600) as usize]
        };
        Self::logged(from, kind, &data)
    }

    fn logged(from: Address, kind: u64, data: &[u8]) -> Tx {
        let kind = U256::from(kind).to_be_bytes::<32>();
        Tx::call(from, MAINNET_DEPOSIT_CONTRACT_ADDRESS).input([&kind, data].concat())
    }

    /// The data of a deposit's log: the five fields' offsets, then each field's length and bytes, filled up to words.
    fn deposit_data(&mut self) -> Vec<u8> {
        let lengths = [48_usize, 32, 8, 96, 8];
        let (mut offset, mut head, mut tail) = (160, Vec::new(), Vec::new());
        for length in lengths {
            head.extend(U256::from(offset).to_be_bytes::<32>());
            tail.extend(U256::from(length).to_be_bytes::<32>());
            let some = self.rng.next() as u8;
            tail.extend((0..length.next_multiple_of(32)).map(|at| if at < length { some } else { 0 }));
            offset += 32 + length.next_multiple_of(32);
        }
        [head, tail].concat()
    }

    /// A deposit of another layout than it must have.
    pub(super) fn bad_deposit(&mut self, from: Address) -> Tx {
        let mut data = self.deposit_data();
        // Where the offsets and the lengths are.
        let words = [0, 32, 64, 96, 128, 160, 256, 320, 384, 512];
        let word = *self.rng.pick(&words);
        match self.rng.below(6) {
            0 => data[word + 31] ^= 1 << self.rng.below(8),
            1 => data[word + self.rng.below(31) as usize] ^= 1,
            2 => data.truncate(data.len() - 1 - self.rng.below(40) as usize),
            3 => data.extend(vec![0; 1 + self.rng.below(40) as usize]),
            // As the ABI has it, too: a shorter field, or two fields at the other's place.
            4 => data[191] = 47,
            _ => [(94, 158), (95, 159)].into_iter().for_each(|(one, other)| data.swap(one, other)),
        }
        Self::logged(from, self.rng.below(2), &data)
    }
}
