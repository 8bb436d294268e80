use super::WitnessError;
use crate::trie::sparse::prove;
use crate::trie::state::{decode_account, decode_slot};
use crate::trie::{NodeSource, Place, TrieError};
use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, U256, keccak256, map::B256Map};
use alloy_rlp::Decodable;
use alloy_trie::{Nibbles, TrieAccount};
use std::convert::Infallible;

/// Nodes of the tries before a block, and headers of the blocks that lead to it.
///
/// Nodes go by the hash of what they are, so that nothing has to be taken on trust but the root. A node that is absent
/// where a branch collapses counts as a branch: some recorders leave such siblings out.
#[derive(Clone, Debug)]
pub struct Witness {
    nodes: B256Map<Bytes>,
    /// With their hashes, each the child of the one before; the last is the block's parent.
    headers: Vec<(B256, Header)>,
    parent_state_root: B256,
}

impl Witness {
    /// A witness of these nodes and headers, both in RLP, headers ascending. The root of the state is that of the last
    /// header; a witness without headers has to state it.
    ///
    /// # Errors
    ///
    /// A header is malformed or not the child of the one before it, or there is no root or two.
    pub fn new(
        nodes: impl IntoIterator<Item = Bytes>,
        headers: &[Bytes],
        parent_state_root: Option<B256>,
    ) -> Result<Self, WitnessError> {
        let mut chain: Vec<(B256, Header)> = Vec::with_capacity(headers.len());
        for (index, rlp) in headers.iter().enumerate() {
            let mut rest = rlp.as_ref();
            let header = Header::decode(&mut rest).ok().filter(|_| rest.is_empty());
            let header = header.ok_or(WitnessError::MalformedHeader { index })?;
            if let Some((actual, _)) = chain.last().filter(|(hash, _)| *hash != header.parent_hash) {
                return Err(WitnessError::Unlinked { index, stated: header.parent_hash, actual: *actual });
            }
            chain.push((keccak256(rlp), header));
        }
        let root = match (chain.last().map(|(_, parent)| parent.state_root), parent_state_root) {
            (Some(header), Some(stated)) if header != stated => {
                return Err(WitnessError::TwoRoots { stated, header });
            }
            (from_header, stated) => from_header.or(stated).ok_or(WitnessError::NoRoot)?,
        };
        let nodes = nodes.into_iter().map(|node| (keccak256(&node), node)).collect();
        Ok(Self { nodes, headers: chain, parent_state_root: root })
    }

    /// Checks that the last header is that of the parent which the block names. Without headers there is nothing to
    /// check: the root is on trust then.
    ///
    /// # Errors
    ///
    /// It is another.
    pub fn check_parent(&self, parent_hash: B256) -> Result<(), WitnessError> {
        match self.headers.last() {
            Some((actual, _)) if *actual != parent_hash => {
                Err(WitnessError::OtherParent { expected: parent_hash, actual: *actual })
            }
            _ => Ok(()),
        }
    }

    /// The root of the state before the block.
    pub fn parent_state_root(&self) -> B256 {
        self.parent_state_root
    }

    /// The headers with their hashes, ascending.
    pub fn headers(&self) -> &[(B256, Header)] {
        &self.headers
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The account before the block; `None` only if it is proven not to exist.
    ///
    /// # Errors
    ///
    /// The way to it is not in the witness.
    pub fn account(&self, hashed_address: B256) -> Result<Option<TrieAccount>, TrieError<Infallible>> {
        let path = Nibbles::unpack_array(&hashed_address);
        let value = prove(None, self.parent_state_root, &path, self)?;
        let malformed = TrieError::Malformed { place: Place { owner: None, path }.into() };
        value.map(|value| decode_account(&value).ok_or(malformed)).transpose()
    }

    /// The value of a slot before the block; zero only if it is proven not to be stored.
    ///
    /// # Errors
    ///
    /// The way to it is not in the witness.
    pub fn storage(&self, hashed_address: B256, hashed_slot: B256) -> Result<U256, TrieError<Infallible>> {
        let Some(account) = self.account(hashed_address)? else { return Ok(U256::ZERO) };
        let path = Nibbles::unpack_array(&hashed_slot);
        let owner = Some(hashed_address);
        let value = prove(owner, account.storage_root, &path, self)?;
        let malformed = TrieError::Malformed { place: Place { owner, path }.into() };
        value.map_or(Ok(U256::ZERO), |value| decode_slot(&value).ok_or(malformed))
    }
}

impl NodeSource for Witness {
    type Error = Infallible;

    const ABSENT_SIBLING_IS_BRANCH: bool = true;
    const VERIFIED: bool = true;

    fn node(&self, _: Option<B256>, _: &Nibbles, hash: B256) -> Result<Option<Bytes>, Infallible> {
        Ok(self.nodes.get(&hash).cloned())
    }
}
