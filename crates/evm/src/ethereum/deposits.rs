//! Deposits to the beacon chain, as the deposit contract logs them (EIP-6110).

use crate::error::InvalidBlock;
use alloy_primitives::{Address, B256, Log, b256};

/// Of `DepositEvent(bytes,bytes,bytes,bytes,bytes)`.
const EVENT: B256 = b256!("0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
/// Length of the event's data, in bytes.
const DATA_LENGTH: usize = 576;
/// Where each field begins in the data, and its length: public key, withdrawal credentials, amount, signature, index.
const FIELDS: [(usize, usize); 5] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];

/// Adds the deposits among a transaction's logs to the block's, in the form of a request (EIP-7685). Logs of other contracts or
/// of other events do not matter; a deposit that is not laid out exactly as the EIP says makes the block invalid.
pub(crate) fn add(contract: Address, logs: &[Log], deposits: &mut Vec<u8>) -> Result<(), InvalidBlock> {
    for log in logs {
        if log.address == contract && log.topics().first() == Some(&EVENT) {
            let data = &log.data.data;
            check_layout(data).map_err(InvalidBlock::Deposit)?;
            for (offset, length) in FIELDS {
                let start = offset + 32;
                deposits.extend_from_slice(&data[start..start + length]);
            }
        }
    }
    Ok(())
}

/// What is wrong with the layout of a deposit's data, if anything.
fn check_layout(data: &[u8]) -> Result<(), String> {
    if data.len() != DATA_LENGTH {
        return Err(format!("it has {} bytes instead of {DATA_LENGTH}", data.len()));
    }
    for (index, (offset, length)) in FIELDS.into_iter().enumerate() {
        if !is_word(&data[32 * index..], offset) {
            return Err(format!("field {index} does not begin at {offset}"));
        }
        if !is_word(&data[offset..], length) {
            return Err(format!("field {index} does not have {length} bytes"));
        }
    }
    Ok(())
}

/// Whether `data` begins with this number, as a word of 32 bytes.
fn is_word(data: &[u8], number: usize) -> bool {
    data.get(..32) == Some(&B256::left_padding_from(&number.to_be_bytes())[..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::LogData;

    const CONTRACT: Address = Address::repeat_byte(0x42);

    /// Data whose layout is right, and whose fields are full of `fill`.
    fn data(fill: u8) -> Vec<u8> {
        let mut data = vec![fill; DATA_LENGTH];
        for (index, (offset, length)) in FIELDS.into_iter().enumerate() {
            data[32 * index..][..32]
                .copy_from_slice(B256::left_padding_from(&offset.to_be_bytes()).as_slice());
            data[offset..][..32].copy_from_slice(B256::left_padding_from(&length.to_be_bytes()).as_slice());
        }
        data
    }

    fn log(address: Address, topics: Vec<B256>, data: Vec<u8>) -> Log {
        Log { address, data: LogData::new_unchecked(topics, data.into()) }
    }

    #[test]
    fn exactly_the_fields_are_taken_over() {
        let mut deposits = Vec::new();
        let logs = [log(CONTRACT, vec![EVENT], data(7)), log(CONTRACT, vec![EVENT, EVENT], data(8))];
        add(CONTRACT, &logs, &mut deposits).expect("right");
        assert_eq!(deposits, [[7; 192], [8; 192]].concat());
    }

    #[test]
    fn other_logs_do_not_matter() {
        let mut deposits = Vec::new();
        let logs = [
            log(Address::ZERO, vec![EVENT], Vec::new()),
            log(CONTRACT, vec![B256::ZERO, EVENT], Vec::new()),
            log(CONTRACT, Vec::new(), Vec::new()),
        ];
        add(CONTRACT, &logs, &mut deposits).expect("nothing to refuse");
        assert!(deposits.is_empty());
    }

    #[test]
    fn no_other_layout_is_a_deposit() {
        let wrong = |data| add(CONTRACT, &[log(CONTRACT, vec![EVENT], data)], &mut Vec::new()).is_err();
        for length in [0, 544, 575, 577, 608] {
            let mut data = data(7);
            data.resize(length, 0);
            assert!(wrong(data), "{length} bytes");
        }
        for (index, (offset, _)) in FIELDS.into_iter().enumerate() {
            for word in [32 * index, offset] {
                for byte in [word, word + 23, word + 30, word + 31] {
                    let mut data = data(7);
                    data[byte] ^= 1;
                    assert!(wrong(data), "byte {byte} of field {index}");
                }
            }
        }
    }
}
