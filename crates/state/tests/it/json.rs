//! Values that go to JSON and come back.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use std::time::Duration;
use tandem_state::cache::{CacheStats, HitCount};
use tandem_state::database::{CommitStats, Head};
use tandem_state::{Account, AccountChange, StateChanges};

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("it goes to JSON");
    assert_eq!(&serde_json::from_str::<T>(&text).expect("it comes back"), value, "{text}");
}

#[test]
fn changes_come_back() {
    let code = Bytes::from_static(&[0x60, 0x00]);
    let account = Account { balance: U256::MAX, nonce: u64::MAX, code_hash: keccak256(&code) };
    let mut changes = StateChanges::default();
    let fields = [
        None,
        Some((None, None)),
        Some((None, Some(account))),
        Some((Some(account), None)),
        Some((Some(Account::default()), Some(account))),
    ];
    for (last_byte, fields) in fields.into_iter().enumerate() {
        let storage = [(U256::ZERO, (U256::ZERO, U256::MAX)), (U256::MAX, (U256::from(1), U256::ZERO))];
        let change = AccountChange { fields, storage_wiped: last_byte % 2 == 1, storage: storage.into() };
        changes.accounts.insert(Address::with_last_byte(last_byte as u8), change);
    }
    changes.codes.insert(keccak256(&code), code);
    comes_back(&changes);
    comes_back(&StateChanges::default());
}

#[test]
fn statistics_come_back() {
    let count = HitCount { hits: 1, misses: u64::MAX };
    comes_back(&CacheStats { accounts: count, ..CacheStats::default() });
    comes_back(&CommitStats {
        blocks: 1,
        rows: 2,
        apply: Duration::from_nanos(3),
        write: Duration::new(4, 5),
    });
    comes_back(&Head { number: 1, hash: B256::repeat_byte(2), state_root: B256::repeat_byte(3) });
}
