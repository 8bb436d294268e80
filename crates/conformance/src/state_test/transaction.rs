use super::expected::Expected;
use crate::index::Index;
use alloy_consensus::crypto::secp256k1::sign_message;
use alloy_consensus::transaction::{Recovered, SignerRecoverable};
use alloy_consensus::{
    SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxEnvelope, TxLegacy, TypedTransaction,
};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use serde::Deserialize;

/// The transactions of a state test: lists of data, gas limits and values, all else in common.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatedTransaction {
    pub(crate) data: Vec<Bytes>,
    pub(crate) gas_limit: Vec<U256>,
    /// As text, since some have no place in 256 bits.
    pub(crate) value: Vec<String>,
    pub(crate) nonce: U256,
    /// Empty for a creation.
    #[serde(default)]
    pub(crate) to: String,
    pub(crate) secret_key: B256,
    #[serde(default)]
    pub(crate) sender: Option<Address>,
    #[serde(default)]
    pub(crate) gas_price: Option<U256>,
    #[serde(default)]
    pub(crate) max_fee_per_gas: Option<U256>,
    #[serde(default)]
    pub(crate) max_priority_fee_per_gas: Option<U256>,
    #[serde(default)]
    pub(crate) max_fee_per_blob_gas: Option<U256>,
    #[serde(default)]
    pub(crate) blob_versioned_hashes: Option<Vec<B256>>,
    /// By index of the data.
    #[serde(default)]
    pub(crate) access_lists: Option<Vec<Option<AccessList>>>,
    #[serde(default)]
    pub(crate) authorization_list: Option<Vec<StatedAuthorization>>,
}

/// A signed authorization (EIP-7702) with numbers of any size.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatedAuthorization {
    chain_id: U256,
    address: Address,
    nonce: U256,
    /// The parity by either name, or by both.
    #[serde(default)]
    y_parity: Option<U256>,
    #[serde(default)]
    v: Option<U256>,
    r: U256,
    s: U256,
}

/// Why a test gives no transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TransactionError {
    /// There is no such transaction, which may be the test's subject.
    Malformed(String),
    /// The test contradicts itself.
    Contradiction(String),
}

impl StatedTransaction {
    /// The transaction that `expected` is about, signed.
    ///
    /// Where the test has its bytes, they must be what the fields give.
    pub(crate) fn signed(
        &self,
        expected: &Expected,
        chain_id: u64,
    ) -> Result<Recovered<TxEnvelope>, TransactionError> {
        let unsigned = self.unsigned(expected.indexes, chain_id);
        match (unsigned, &expected.txbytes) {
            (Ok(unsigned), None) => self.sign(unsigned),
            (Ok(unsigned), Some(bytes)) => {
                let is_stated = |signed: &Recovered<TxEnvelope>| signed.inner().encoded_2718() == *bytes;
                // Only the bytes tell whether a legacy transaction is bound to a chain (EIP-155).
                let bound = bound_to_chain(&unsigned, chain_id);
                let transaction = self.sign(unsigned)?;
                let transaction = match bound {
                    Some(bound) if !is_stated(&transaction) => self.sign(bound)?,
                    _ => transaction,
                };
                if !is_stated(&transaction) {
                    let text = format!("the transaction's fields do not give txbytes {bytes}");
                    return Err(TransactionError::Contradiction(text));
                }
                Ok(transaction)
            }
            (Err(error), None) => Err(error),
            // The bytes may express values that the fields cannot.
            (Err(TransactionError::Malformed(_)), Some(bytes)) => decode(bytes),
            (Err(error), Some(_)) => Err(error),
        }
    }

    /// Signs a transaction with the test's key.
    pub(crate) fn sign(&self, unsigned: TypedTransaction) -> Result<Recovered<TxEnvelope>, TransactionError> {
        let wrong_key = |_| TransactionError::Contradiction("the secret key is none".to_owned());
        let signature = sign_message(self.secret_key, unsigned.signature_hash()).map_err(wrong_key)?;
        let transaction = TxEnvelope::from(unsigned.into_signed(signature));
        let sender = recover(&transaction)?;
        if self.sender.is_some_and(|stated| stated != sender) {
            return Err(TransactionError::Contradiction(format!("the secret key is that of {sender}")));
        }
        Ok(Recovered::new_unchecked(transaction, sender))
    }

    /// The transaction with the fields that `index` chooses.
    pub(crate) fn unsigned(&self, index: Index, chain_id: u64) -> Result<TypedTransaction, TransactionError> {
        let missing = |field: &str| {
            TransactionError::Contradiction(format!("the transaction has no {field} for {index}"))
        };
        let input = self.data.get(index.data).ok_or_else(|| missing("data"))?.clone();
        let gas_limit = self.gas_limit.get(index.gas).ok_or_else(|| missing("gasLimit"))?;
        let value = self.value.get(index.value).ok_or_else(|| missing("value"))?;
        let value = value
            .parse::<U256>()
            .map_err(|_| TransactionError::Malformed(format!("value {value} is none of 256 bits")))?;
        let access_list =
            self.access_lists.as_ref().and_then(|lists| lists.get(index.data).cloned().flatten());
        let nonce = narrow("nonce", self.nonce)?;
        let gas_limit = narrow("gas limit", *gas_limit)?;
        let price = |field, price: Option<U256>| match price {
            Some(price) => narrow(field, price),
            None => Err(missing(field)),
        };
        let gas_price = |()| price("gasPrice", self.gas_price);
        let max_fee_per_gas = |()| price("maxFeePerGas", self.max_fee_per_gas);
        let max_priority_fee_per_gas = |()| price("maxPriorityFeePerGas", self.max_priority_fee_per_gas);
        let to = match self.to.as_str() {
            "" => TxKind::Create,
            to => TxKind::Call(to.parse().map_err(|_| missing("to"))?),
        };
        let recipient = |()| match to {
            TxKind::Call(to) => Ok(to),
            TxKind::Create => Err(TransactionError::Malformed("it has no recipient".to_owned())),
        };
        Ok(if let Some(authorizations) = &self.authorization_list {
            TypedTransaction::Eip7702(TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: max_fee_per_gas(())?,
                max_priority_fee_per_gas: max_priority_fee_per_gas(())?,
                to: recipient(())?,
                value,
                access_list: access_list.unwrap_or_default(),
                authorization_list: authorizations.iter().map(signed).collect::<Result<_, _>>()?,
                input,
            })
        } else if let Some(blob_versioned_hashes) = &self.blob_versioned_hashes {
            TypedTransaction::Eip4844(
                TxEip4844 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: max_fee_per_gas(())?,
                    max_priority_fee_per_gas: max_priority_fee_per_gas(())?,
                    to: recipient(())?,
                    value,
                    access_list: access_list.unwrap_or_default(),
                    blob_versioned_hashes: blob_versioned_hashes.clone(),
                    max_fee_per_blob_gas: price("maxFeePerBlobGas", self.max_fee_per_blob_gas)?,
                    input,
                }
                .into(),
            )
        } else if self.max_fee_per_gas.is_some() {
            TypedTransaction::Eip1559(TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: max_fee_per_gas(())?,
                max_priority_fee_per_gas: max_priority_fee_per_gas(())?,
                to,
                value,
                access_list: access_list.unwrap_or_default(),
                input,
            })
        } else if let Some(access_list) = access_list {
            let gas_price = gas_price(())?;
            TypedTransaction::Eip2930(TxEip2930 {
                chain_id,
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                access_list,
                input,
            })
        } else {
            let gas_price = gas_price(())?;
            TypedTransaction::Legacy(TxLegacy {
                chain_id: None,
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                input,
            })
        })
    }
}

/// A legacy transaction for one chain only (EIP-155).
fn bound_to_chain(unsigned: &TypedTransaction, chain_id: u64) -> Option<TypedTransaction> {
    match unsigned {
        TypedTransaction::Legacy(legacy) => {
            Some(TypedTransaction::Legacy(TxLegacy { chain_id: Some(chain_id), ..legacy.clone() }))
        }
        _ => None,
    }
}

fn signed(stated: &StatedAuthorization) -> Result<SignedAuthorization, TransactionError> {
    let StatedAuthorization { chain_id, address, nonce, y_parity, v, r, s } = *stated;
    let contradiction = |text: &str| TransactionError::Contradiction(format!("an authorization has {text}"));
    let y_parity = match (y_parity, v) {
        (Some(y_parity), Some(v)) if y_parity != v => {
            return Err(contradiction("a yParity that is not its v"));
        }
        (Some(parity), _) | (None, Some(parity)) => parity,
        (None, None) => return Err(contradiction("neither yParity nor v")),
    };
    let nonce = narrow("authorization's nonce", nonce)?;
    let authorization = Authorization { chain_id, address, nonce };
    Ok(SignedAuthorization::new_unchecked(authorization, narrow("authorization's parity", y_parity)?, r, s))
}

/// A number in the width that its field has in a transaction.
fn narrow<T: TryFrom<U256>>(field: &str, number: U256) -> Result<T, TransactionError> {
    T::try_from(number).map_err(|_| TransactionError::Malformed(format!("{field} {number} is too large")))
}

fn decode(bytes: &[u8]) -> Result<Recovered<TxEnvelope>, TransactionError> {
    let transaction = TxEnvelope::decode_2718_exact(bytes)
        .map_err(|error| TransactionError::Malformed(format!("its bytes cannot be decoded: {error}")))?;
    let sender = recover(&transaction)?;
    Ok(Recovered::new_unchecked(transaction, sender))
}

fn recover(transaction: &TxEnvelope) -> Result<Address, TransactionError> {
    transaction
        .recover_signer()
        .map_err(|_| TransactionError::Malformed("its signature recovers to no sender".to_owned()))
}
