//! Values that go to JSON and come back.

use alloy_consensus::TxType;
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use tandem_evm::{
    Field, Location, Observation, Read, Receipt, StepPart, StorageNotes, TransactionTrace, Write,
};

fn text_that_comes_back<T: Serialize + DeserializeOwned + Debug>(value: &T) -> String {
    let text = serde_json::to_string(value).expect("it goes to JSON");
    let back: T = serde_json::from_str(&text).expect("it comes back");
    assert_eq!(format!("{back:?}"), format!("{value:?}"), "{text}");
    text
}

#[test]
fn parts_of_steps_come_back() {
    let slot = Field::Slot { slot: U256::MAX, generation: u64::MAX };
    for field in [Field::Balance, Field::Nonce, Field::Code, Field::Existence, Field::Generation, slot] {
        let location = Location { world: 1, address: Address::repeat_byte(2), field };
        text_that_comes_back(&Read { location, relied: Observation::Exact(U256::MAX) });
        text_that_comes_back(&Read { location, relied: Observation::AtLeast(U256::ZERO) });
        text_that_comes_back(&Write { location, before: U256::ZERO, after: U256::MAX, is_delta: true });
    }
    text_that_comes_back(&[StepPart::Start, StepPart::Transaction(3), StepPart::End]);
    let bytes = Bytes::from_static(&[0, 1, 2]);
    let trace = TransactionTrace {
        hash: B256::repeat_byte(1),
        sender: Address::repeat_byte(2),
        recipient: None,
        input: bytes.clone(),
        tx_type: 4,
        success: true,
        gas_used: u64::MAX,
        logs: vec![Log::new_unchecked(Address::repeat_byte(3), vec![B256::repeat_byte(4)], bytes)],
    };
    text_that_comes_back(&trace);
    text_that_comes_back(&StorageNotes {
        stores: vec![(Address::repeat_byte(5), U256::MAX)],
        hashed: vec![(B256::repeat_byte(6), B256::ZERO, B256::repeat_byte(7))],
    });
}

#[test]
fn receipts_come_back() {
    let receipt = Receipt {
        tx_type: TxType::Eip7702,
        success: false,
        cumulative_gas_used: 21_000,
        logs: vec![Log::new_unchecked(Address::ZERO, Vec::new(), Bytes::new())],
    };
    // The names of Ethereum's JSON-RPC.
    assert!(text_that_comes_back(&receipt).contains(r#""cumulativeGasUsed":"0x5208""#));
}
