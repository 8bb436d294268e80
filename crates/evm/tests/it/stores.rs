//! Stores that give codes in their own ways.

use crate::common::contracts::*;
use crate::common::{Fork, Scenario, Signer, Tx, assert_like, at, execute_plainly, stream, with_executor};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use revm::bytecode::Bytecode;
use revm::database_interface::DatabaseRef;
use revm::state::AccountInfo;
use tandem_evm::{Cut, ExecutionError, PlainExecutor, StoreRef};
use tandem_state::MemoryStore;

/// A store that has a code only together with the account, if it has codes at all.
struct Unhashed<'a> {
    inner: StoreRef<'a, MemoryStore>,
    has_codes: bool,
    /// What it says is the hash of no code.
    no_code: B256,
}

impl DatabaseRef for Unhashed<'_> {
    type Error = <StoreRef<'static, MemoryStore> as DatabaseRef>::Error;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        let Some(mut info) = self.inner.basic_ref(address)? else { return Ok(None) };
        if info.code_hash == KECCAK256_EMPTY {
            info.code_hash = self.no_code;
        } else if self.has_codes {
            info.code = Some(self.inner.code_by_hash_ref(info.code_hash)?);
        }
        Ok(Some(info))
    }

    /// As revm's own stores do where they know nothing.
    fn code_by_hash_ref(&self, _: B256) -> Result<Bytecode, Self::Error> {
        Ok(Bytecode::default())
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, Self::Error> {
        self.inner.storage_ref(address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Self::Error> {
        self.inner.block_hash_ref(number)
    }
}

fn scenario(fork: Fork) -> Scenario {
    let mut s = Scenario::new(fork);
    s.contract(at(1), &counter(), 0);
    s.contract(at(2), &factory2(&mortal()), 0);
    let signer = Signer::new(100);
    for block in 0..3 {
        for n in 0..12 {
            let user = s.user(n);
            s.tx(Tx::pay(user, at(900 + n), 1));
            s.tx(Tx::call(user, at(1)));
            s.tx(Tx::call(user, at(2)).words(&[U256::from(100 * block + n)]));
        }
        let user = s.user(0);
        if fork >= Fork::Prague {
            s.tx(Tx::delegate(user, signer.address, vec![signer.authorize(at(1), block)]));
        }
        s.next_block();
    }
    s
}

const WAYS: [(usize, usize); 5] = [(1, 0), (2, 0), (4, 0), (8, 0), (4, 8)];

#[test]
fn codes_that_come_with_accounts_are_used() {
    for fork in [Fork::Petersburg, Fork::Cancun, Fork::Prague] {
        for no_code in [KECCAK256_EMPTY, B256::ZERO] {
            let s = scenario(fork);
            let report = execute_plainly(&s.blocks(), &s.store).all_succeed();
            for (threads, window) in WAYS {
                for cut in [Cut::Never, Cut::Batch] {
                    let store = Unhashed { inner: StoreRef(&s.store), has_codes: true, no_code };
                    let streamed = stream(&with_executor(threads, window), &s.blocks(), &store, cut);
                    assert_like(&streamed, &report, &format!("{threads} threads, {cut:?}, {no_code}"));
                }
            }
        }
    }
}

#[test]
fn a_code_that_the_store_names_and_lacks_is_named() {
    let s = scenario(Fork::Prague);
    let store = Unhashed { inner: StoreRef(&s.store), has_codes: false, no_code: KECCAK256_EMPTY };
    // The first code that is needed is that of a contract called at the block's start.
    let wanted = s.account(alloy_eips::eip4788::BEACON_ROOTS_ADDRESS).code_hash;
    for (threads, window) in WAYS {
        let streamed = stream(&with_executor(threads, window), &s.blocks(), &store, Cut::Never);
        let Some(ExecutionError::NoCode { block, code_hash }) = streamed.error else {
            panic!("{:?}", streamed.error)
        };
        assert_eq!((block, code_hash), (s.blocks()[0].id(), wanted));
    }
    let plain = PlainExecutor::new().execute(&store, &s.blocks()[0]);
    assert!(matches!(plain, Err(ExecutionError::NoCode { code_hash, .. }) if code_hash == wanted));
}
