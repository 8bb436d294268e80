use crate::error::WorkloadError;
use alloy_consensus::crypto::secp256k1::sign_message;
use alloy_primitives::{Address, B256, Signature, keccak256};
use k256::ecdsa::SigningKey;
use rayon::prelude::*;

/// An account that signs transactions.
///
/// Anyone can derive its key, and the chain has mainnet's chain id: nothing of value may ever be sent to it.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    index: usize,
    secret: B256,
    address: Address,
}

impl Signer {
    /// The account with this index among those of a seed.
    pub(crate) fn derive(seed: u64, index: usize) -> Result<Self, WorkloadError> {
        let mut preimage = b"tandem account ".to_vec();
        preimage.extend_from_slice(&seed.to_be_bytes());
        preimage.extend_from_slice(&(index as u64).to_be_bytes());
        let secret = keccak256(preimage);
        let key =
            SigningKey::from_slice(secret.as_slice()).map_err(|_| WorkloadError::Key { account: index })?;
        Ok(Self { index, secret, address: Address::from_private_key(&key) })
    }

    /// The first `count` accounts of a seed.
    pub(crate) fn derive_all(seed: u64, count: usize) -> Result<Vec<Self>, WorkloadError> {
        (0..count).into_par_iter().map(|index| Self::derive(seed, index)).collect()
    }

    pub(crate) const fn address(&self) -> Address {
        self.address
    }

    /// Signs a hash. The nonce is derived from the key and the hash (RFC 6979), so the signature is always the same.
    pub(crate) fn sign(&self, hash: B256) -> Result<Signature, WorkloadError> {
        sign_message(self.secret, hash).map_err(|_| WorkloadError::Key { account: self.index })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_recovers_to_the_address() {
        let signer = Signer::derive(1, 0).unwrap();
        let hash = keccak256("message");
        let signature = signer.sign(hash).unwrap();
        assert_eq!(signature.recover_address_from_prehash(&hash).unwrap(), signer.address());
        assert_eq!(signer.sign(hash), Ok(signature));
    }

    #[test]
    fn seed_and_index_tell_accounts_apart() {
        let address = |seed, index| Signer::derive(seed, index).unwrap().address();
        assert_eq!(address(1, 2), address(1, 2));
        assert_ne!(address(1, 2), address(1, 3));
        assert_ne!(address(1, 2), address(2, 2));
    }
}
