use super::cursor::Cursor;
use super::error::DecodeError;
use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};

/// The type of a header's field.
#[derive(Clone, Copy)]
enum Kind {
    Hash,
    Address,
    Bloom,
    Nonce,
    Bytes,
    U64,
    U256,
}

/// A header's fields in their order, named as in the JSON of Ethereum's RPC.
const FIELDS: &[(&str, Kind)] = &[
    ("parentHash", Kind::Hash),
    ("sha3Uncles", Kind::Hash),
    ("miner", Kind::Address),
    ("stateRoot", Kind::Hash),
    ("transactionsRoot", Kind::Hash),
    ("receiptsRoot", Kind::Hash),
    ("logsBloom", Kind::Bloom),
    ("difficulty", Kind::U256),
    ("number", Kind::U64),
    ("gasLimit", Kind::U64),
    ("gasUsed", Kind::U64),
    ("timestamp", Kind::U64),
    ("extraData", Kind::Bytes),
    ("mixHash", Kind::Hash),
    ("nonce", Kind::Nonce),
    ("baseFeePerGas", Kind::U64),
    ("withdrawalsRoot", Kind::Hash),
    ("blobGasUsed", Kind::U64),
    ("excessBlobGas", Kind::U64),
    ("parentBeaconBlockRoot", Kind::Hash),
    ("requestsHash", Kind::Hash),
    ("blockAccessListHash", Kind::Hash),
    ("slotNumber", Kind::U64),
];

/// Decodes the next item as a header; `name` is how errors call it.
pub(super) fn decode_header(
    cursor: &mut Cursor<'_>,
    name: impl Fn() -> String,
) -> Result<Header, DecodeError> {
    let start = cursor.clone();
    cursor.item(&name).map_err(|error| first_wrong_field(start, name).unwrap_or(error))
}

/// Decodes fields one by one, to say which of them is wrong.
fn first_wrong_field(mut cursor: Cursor<'_>, name: impl Fn() -> String) -> Option<DecodeError> {
    let mut fields = cursor.list(&name).ok()?;
    for (field, kind) in FIELDS {
        let name = || format!("{}.{field}", name());
        let decoded = match kind {
            Kind::Hash => fields.item::<B256>(name).map(drop),
            Kind::Address => fields.item::<Address>(name).map(drop),
            Kind::Bloom => fields.item::<Bloom>(name).map(drop),
            Kind::Nonce => fields.item::<B64>(name).map(drop),
            Kind::Bytes => fields.item::<Bytes>(name).map(drop),
            Kind::U64 => fields.item::<u64>(name).map(drop),
            Kind::U256 => fields.item::<U256>(name).map(drop),
        };
        if decoded.is_err() {
            return decoded.err();
        }
    }
    None
}
