//! Transactions of all types, with dummy signatures, and authorizations with real ones.

use alloy_consensus::transaction::Recovered;
use alloy_consensus::{
    SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip4844Variant, TxEip7702, TxEnvelope, TxLegacy,
};
use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use k256::ecdsa::SigningKey;

/// A transaction to be built.
#[derive(Clone, Debug)]
pub(crate) struct Tx {
    pub(crate) from: Address,
    pub(crate) to: TxKind,
    pub(crate) value: U256,
    /// The next one if absent.
    pub(crate) nonce: Option<u64>,
    pub(crate) gas: u64,
    /// Gas price, or the most to pay for gas.
    pub(crate) price: u128,
    pub(crate) tip: u128,
    pub(crate) input: Bytes,
    pub(crate) ty: u8,
    pub(crate) authorizations: Vec<SignedAuthorization>,
    pub(crate) blobs: usize,
    /// The most to pay for a unit of blob gas.
    pub(crate) blob_price: u128,
    pub(crate) access_list: AccessList,
    pub(crate) chain_id: u64,
}

impl Tx {
    /// A legacy transaction that may use 500,000 gas at a price of 10 wei.
    pub(crate) fn call(from: Address, to: Address) -> Self {
        Self {
            from,
            to: TxKind::Call(to),
            value: U256::ZERO,
            nonce: None,
            gas: 500_000,
            price: 10,
            tip: 2,
            input: Bytes::new(),
            ty: 0,
            authorizations: Vec::new(),
            blobs: 1,
            blob_price: 10,
            access_list: AccessList::default(),
            chain_id: 1,
        }
    }

    pub(crate) fn pay(from: Address, to: Address, value: impl TryInto<U256>) -> Self {
        Self { gas: 21_000, ..Self::call(from, to) }.value(value)
    }

    pub(crate) fn create(from: Address, init: impl Into<Bytes>) -> Self {
        Self { to: TxKind::Create, ..Self::call(from, Address::ZERO) }.input(init)
    }

    /// A type-4 transaction.
    pub(crate) fn delegate(from: Address, to: Address, authorizations: Vec<SignedAuthorization>) -> Self {
        Self { ty: 4, authorizations, ..Self::call(from, to) }
    }

    pub(crate) fn value(mut self, value: impl TryInto<U256>) -> Self {
        self.value = value.try_into().ok().unwrap();
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Bytes>) -> Self {
        self.input = input.into();
        self
    }

    pub(crate) fn words(self, words: &[U256]) -> Self {
        self.input(super::asm::words(words))
    }

    pub(crate) fn gas(mut self, gas: u64) -> Self {
        self.gas = gas;
        self
    }

    pub(crate) fn price(mut self, price: u128) -> Self {
        self.price = price;
        self
    }

    pub(crate) fn ty(mut self, ty: u8) -> Self {
        self.ty = ty;
        self
    }

    pub(crate) fn nonce(mut self, nonce: u64) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// The most that the transaction can cost, its value included.
    pub(crate) fn cost(&self) -> U256 {
        self.value + U256::from(self.price) * U256::from(self.gas)
    }

    pub(crate) fn build(self, nonce: u64) -> Recovered<TxEnvelope> {
        let Self { from, to, value, gas: gas_limit, price: gas_price, tip, input, access_list, .. } = self;
        let chain_id = self.chain_id;
        let (max_fee_per_gas, max_priority_fee_per_gas) = (gas_price, tip.min(gas_price));
        let target = to.to().copied().unwrap_or_default();
        let signature = Signature::test_signature();
        let envelope: TxEnvelope = match self.ty {
            0 => TxLegacy { chain_id: None, nonce, gas_price, gas_limit, to, value, input }
                .into_signed(signature)
                .into(),
            1 => TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input }
                .into_signed(signature)
                .into(),
            2 => TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                input,
            }
            .into_signed(signature)
            .into(),
            3 => {
                let hash = |index: usize| {
                    let mut hash = B256::repeat_byte(index as u8);
                    hash[0] = 1;
                    hash
                };
                let transaction: TxEip4844Variant = TxEip4844 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas,
                    max_priority_fee_per_gas,
                    to: target,
                    value,
                    access_list,
                    blob_versioned_hashes: (0..self.blobs).map(hash).collect(),
                    max_fee_per_blob_gas: self.blob_price,
                    input,
                }
                .into();
                transaction.into_signed(signature).into()
            }
            _ => TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to: target,
                value,
                access_list,
                authorization_list: self.authorizations,
                input,
            }
            .into_signed(signature)
            .into(),
        };
        Recovered::new_unchecked(envelope, from)
    }
}

/// Somebody who can sign authorizations.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    key: SigningKey,
    pub(crate) address: Address,
}

impl Signer {
    pub(crate) fn new(seed: u64) -> Self {
        let key = SigningKey::from_slice(keccak256(seed.to_be_bytes()).as_slice()).unwrap();
        Self { address: Address::from_public_key(key.verifying_key()), key }
    }

    /// Delegates the signer's account to `address`.
    pub(crate) fn authorize(&self, address: Address, nonce: u64) -> SignedAuthorization {
        let authorization = Authorization { chain_id: U256::ONE, address, nonce };
        let hash = authorization.signature_hash();
        let (signature, id) = self.key.sign_prehash_recoverable(hash.as_slice()).unwrap();
        let (r, s) = (signature.r().to_bytes(), signature.s().to_bytes());
        let signature = Signature::new(U256::from_be_slice(&r), U256::from_be_slice(&s), id.is_y_odd());
        authorization.into_signed(signature)
    }
}
