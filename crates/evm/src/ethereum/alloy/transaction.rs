//! A block's transaction as alloy-evm's executor takes it. It asks for the gas limit, the type, the blobs and the hash. What is
//! gone with the signature, the encoding and the authorizations as they were signed, it does not ask for.

use crate::protocol;
use alloy_consensus::{Transaction as Fields, TransactionEnvelope, TxType};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_eips::{Typed2718, eip2718::IsTyped2718};
use alloy_evm::{FromRecoveredTx, FromTxWithEncoded, RecoveredTx, ToTxEnv};
use alloy_primitives::bytes::BufMut;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use revm::context::TxEnv;
use revm::context_interface::Transaction as _;
use std::sync::Arc;

type Transaction = protocol::transaction::Transaction<Arc<TxEnv>>;

impl Typed2718 for Transaction {
    fn ty(&self) -> u8 {
        self.tx.tx_type
    }
}

impl IsTyped2718 for Transaction {
    fn is_type(type_id: u8) -> bool {
        TxType::try_from(type_id).is_ok()
    }
}

impl TransactionEnvelope for Transaction {
    type TxType = TxType;

    fn tx_type(&self) -> TxType {
        TxType::try_from(self.tx.tx_type).unwrap_or_default()
    }
}

impl Encodable2718 for Transaction {
    fn encode_2718_len(&self) -> usize {
        0
    }

    fn encode_2718(&self, _: &mut dyn BufMut) {}

    fn trie_hash(&self) -> B256 {
        self.hash
    }
}

impl Fields for Transaction {
    fn chain_id(&self) -> Option<u64> {
        self.tx.chain_id
    }

    fn nonce(&self) -> u64 {
        self.tx.nonce
    }

    fn gas_limit(&self) -> u64 {
        self.gas_limit
    }

    fn gas_price(&self) -> Option<u128> {
        (!self.is_dynamic_fee()).then_some(self.tx.gas_price)
    }

    fn max_fee_per_gas(&self) -> u128 {
        self.tx.gas_price
    }

    fn max_priority_fee_per_gas(&self) -> Option<u128> {
        self.tx.gas_priority_fee
    }

    fn max_fee_per_blob_gas(&self) -> Option<u128> {
        self.is_eip4844().then_some(self.tx.max_fee_per_blob_gas)
    }

    fn priority_fee_or_price(&self) -> u128 {
        self.tx.gas_priority_fee.unwrap_or(self.tx.gas_price)
    }

    fn effective_gas_price(&self, base_fee: Option<u64>) -> u128 {
        base_fee.map_or(self.tx.gas_price, |base_fee| self.tx.effective_gas_price(base_fee.into()))
    }

    fn is_dynamic_fee(&self) -> bool {
        self.tx.gas_priority_fee.is_some()
    }

    fn kind(&self) -> TxKind {
        self.tx.kind
    }

    fn is_create(&self) -> bool {
        self.tx.kind.is_create()
    }

    fn value(&self) -> U256 {
        self.tx.value
    }

    fn input(&self) -> &Bytes {
        &self.tx.data
    }

    fn access_list(&self) -> Option<&AccessList> {
        (!self.is_legacy()).then_some(&self.tx.access_list)
    }

    fn blob_versioned_hashes(&self) -> Option<&[B256]> {
        self.is_eip4844().then_some(&self.tx.blob_hashes)
    }

    fn authorization_list(&self) -> Option<&[SignedAuthorization]> {
        None
    }
}

impl RecoveredTx<Transaction> for Transaction {
    fn tx(&self) -> &Self {
        self
    }

    fn signer(&self) -> &Address {
        &self.tx.caller
    }
}

impl ToTxEnv<TxEnv> for Transaction {
    fn to_tx_env(&self) -> TxEnv {
        TxEnv::clone(&self.tx)
    }
}

impl FromRecoveredTx<Transaction> for TxEnv {
    fn from_recovered_tx(transaction: &Transaction, _: Address) -> Self {
        transaction.to_tx_env()
    }
}

impl FromTxWithEncoded<Transaction> for TxEnv {
    fn from_encoded_tx(transaction: &Transaction, _: Address, _: Bytes) -> Self {
        transaction.to_tx_env()
    }
}
