use super::error::WitnessError;
use crate::trie::error::{NodePath, TrieError};
use crate::trie::source::NodeSource;
use crate::trie::sparse::{for_each_leaf, prove};
use crate::trie::state::{decode_account, decode_slot};
use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes, KECCAK256_EMPTY, U256, keccak256, map::B256Map};
use alloy_rlp::Decodable;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};
use std::convert::Infallible;

/// Nodes of the tries before a block, headers of the blocks that lead to it, and codes.
///
/// Nodes and codes go by the hash of their content, and headers lead to the block, so that nothing has to be taken on
/// trust but the block's hash; of a witness without headers, the root as well ([`Self::check_parent`]).
#[derive(Clone, Debug)]
pub struct Witness {
    nodes: B256Map<Bytes>,
    /// With their hashes, each the child of the one before; the last is the block's parent.
    headers: Vec<(B256, Header)>,
    parent_state_root: B256,
    /// `None` for a witness that leaves codes to others.
    codes: Option<B256Map<Bytes>>,
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
            if let Some((actual, before)) = chain.last() {
                if *actual != header.parent_hash {
                    return Err(WitnessError::Unlinked {
                        index,
                        stated: header.parent_hash,
                        actual: *actual,
                    });
                }
                check_number(index, header.number, before)?;
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
        Ok(Self { nodes, headers: chain, parent_state_root: root, codes: None })
    }

    /// The witness with all codes that the block needs.
    #[must_use]
    pub fn with_codes(self, codes: impl IntoIterator<Item = Bytes>) -> Self {
        Self { codes: Some(codes.into_iter().map(|code| (keccak256(&code), code)).collect()), ..self }
    }

    /// Checks that the last header is that of the parent which the block with this header names. Without headers there is
    /// nothing to check: the root is on trust then.
    ///
    /// # Errors
    ///
    /// It is another.
    pub fn check_parent(&self, block: &Header) -> Result<(), WitnessError> {
        match self.headers.last() {
            Some((actual, _)) if *actual != block.parent_hash => {
                Err(WitnessError::OtherParent { expected: block.parent_hash, actual: *actual })
            }
            Some((_, parent)) => check_number(self.headers.len(), block.number, parent),
            None => Ok(()),
        }
    }

    /// Whether headers lead from the root of the state before the block to the block. Otherwise that root is on trust.
    pub fn proves_parent_state_root(&self) -> bool {
        !self.headers.is_empty()
    }

    /// The root of the state before the block.
    pub fn parent_state_root(&self) -> B256 {
        self.parent_state_root
    }

    /// The headers with their hashes, ascending.
    pub fn headers(&self) -> &[(B256, Header)] {
        &self.headers
    }

    /// The codes by their hashes; `None` for a witness that leaves codes to others.
    pub fn codes(&self) -> Option<&B256Map<Bytes>> {
        self.codes.as_ref()
    }

    /// The hashed addresses of all accounts in the witness that have storage, but neither nonce nor code: nothing can be
    /// created there (EIP-7610).
    ///
    /// # Errors
    ///
    /// A node or an account is malformed.
    pub fn occupied(&self) -> Result<Vec<B256>, TrieError<Infallible>> {
        let mut occupied = Vec::new();
        for_each_leaf(self.parent_state_root, self, |path, value| {
            let malformed = || TrieError::Malformed { node: NodePath { owner: None, path: *path }.into() };
            let account = decode_account(value).ok_or_else(malformed)?;
            if path.len() != 64 {
                return Err(malformed());
            }
            let has_storage = account.storage_root != EMPTY_ROOT_HASH;
            if has_storage && account.nonce == 0 && account.code_hash == KECCAK256_EMPTY {
                occupied.push(B256::from_slice(&path.pack()));
            }
            Ok(())
        })?;
        Ok(occupied)
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
        let malformed = TrieError::Malformed { node: NodePath { owner: None, path }.into() };
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
        let malformed = TrieError::Malformed { node: NodePath { owner, path }.into() };
        value.map_or(Ok(U256::ZERO), |value| decode_slot(&value).ok_or(malformed))
    }
}

/// Checks the number of the header at `index`, or of the block, whose parent comes before it.
fn check_number(index: usize, found: u64, parent: &Header) -> Result<(), WitnessError> {
    if parent.number.checked_add(1) == Some(found) {
        return Ok(());
    }
    Err(WitnessError::Number { index, found, parent: parent.number })
}

impl NodeSource for Witness {
    type Error = Infallible;

    const VERIFIED: bool = true;

    fn node(&self, _: Option<B256>, _: &Nibbles, hash: B256) -> Result<Option<Bytes>, Infallible> {
        Ok(self.nodes.get(&hash).cloned())
    }
}
