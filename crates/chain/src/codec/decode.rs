use super::block::SealedBlock;
use super::cursor::Cursor;
use super::error::DecodeError;
use super::header::decode_header;
use crate::rules::has_sidecar;
use alloy_consensus::{Block, BlockBody, TxEnvelope};
use alloy_eips::eip4895::Withdrawals;
use alloy_rlp::Error;

/// Decodes a block from its RLP, which must be all of `bytes`.
///
/// Blob transactions are those of blocks, without their blobs.
///
/// # Errors
///
/// If the bytes are not exactly a block's, naming the first field that is not what it should be.
pub fn decode_block(bytes: &[u8]) -> Result<SealedBlock, DecodeError> {
    let mut outside = Cursor::new(bytes);
    let mut fields = outside.list(|| "block".to_owned())?;
    let start = fields.position();
    let header = decode_header(&mut fields, || "header".to_owned())?;
    let hash = fields.hash_since(start);
    let transactions = fields.items("transactions", |list, index| {
        let field = || format!("transactions[{index}]");
        let start = list.position();
        let transaction: TxEnvelope = list.item(field)?;
        if has_sidecar(&transaction) {
            let error = Error::Custom("the transaction carries its blobs");
            return Err(DecodeError { field: field(), offset: start, error });
        }
        Ok(transaction)
    })?;
    let ommers = fields.items("uncles", |list, index| decode_header(list, || format!("uncles[{index}]")))?;
    let withdrawals = if fields.is_empty() {
        None
    } else {
        let withdrawals =
            fields.items("withdrawals", |list, index| list.item(|| format!("withdrawals[{index}]")))?;
        Some(Withdrawals::new(withdrawals))
    };
    for cursor in [&fields, &outside] {
        if !cursor.is_empty() {
            return Err(cursor.error("end of the block".to_owned(), Error::UnexpectedLength));
        }
    }
    let body = BlockBody { transactions, ommers, withdrawals };
    Ok(SealedBlock::new_unchecked(Block { header, body }, hash))
}
