//! A plain state, its roots and nodes computed from scratch by `alloy-trie`.

use alloy_primitives::{B256, Bytes, U256};
use alloy_rlp::Decodable;
use alloy_trie::{HashBuilder, Nibbles, TrieAccount, nodes::TrieNode, proof::ProofRetainer, root};
use std::collections::BTreeMap;
use tandem_state::Account;
use tandem_state::trie::HashedChanges;

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<B256, ModelAccount>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ModelAccount {
    pub(crate) fields: Account,
    pub(crate) storage: BTreeMap<B256, U256>,
}

/// Inner nodes by path, as a database has to hold them.
pub(crate) type InnerNodes = BTreeMap<Nibbles, Bytes>;

impl Model {
    pub(crate) fn apply(&mut self, changes: &HashedChanges) {
        for (address, change) in &changes.accounts {
            if change.account == Some(None) {
                self.accounts.remove(address);
                continue;
            }
            let account = self.accounts.entry(*address).or_default();
            if let Some(Some(fields)) = change.account {
                account.fields = fields;
            }
            if change.storage_wiped {
                account.storage.clear();
            }
            for (slot, value) in &change.storage {
                if value.is_zero() {
                    account.storage.remove(slot);
                } else {
                    account.storage.insert(*slot, *value);
                }
            }
        }
    }

    pub(crate) fn leaves(&self) -> BTreeMap<B256, TrieAccount> {
        self.accounts.iter().map(|(address, account)| (*address, account.leaf())).collect()
    }

    pub(crate) fn root(&self) -> B256 {
        root::state_root(self.leaves())
    }

    /// All inner nodes that are referred to by hash, and roots, by owner.
    pub(crate) fn inner_nodes(&self) -> BTreeMap<Option<B256>, InnerNodes> {
        let accounts =
            self.leaves().into_iter().map(|(address, account)| (address, alloy_rlp::encode(account)));
        let storages = self.accounts.iter().map(|(address, account)| {
            let slots = account.storage.iter().map(|(slot, value)| (*slot, alloy_rlp::encode(value)));
            (Some(*address), inner_nodes(&slots.collect::<Vec<_>>()))
        });
        let all = std::iter::once((None, inner_nodes(&accounts.collect::<Vec<_>>()))).chain(storages);
        all.filter(|(_, nodes)| !nodes.is_empty()).collect()
    }
}

impl ModelAccount {
    pub(crate) fn leaf(&self) -> TrieAccount {
        TrieAccount {
            nonce: self.fields.nonce,
            balance: self.fields.balance,
            storage_root: root::storage_root(self.storage.iter().map(|(slot, value)| (*slot, *value))),
            code_hash: self.fields.code_hash,
        }
    }
}

fn inner_nodes(leaves: &[(B256, Vec<u8>)]) -> InnerNodes {
    let keys: Vec<_> = leaves.iter().map(|(key, _)| Nibbles::unpack(key)).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(keys.clone()));
    for (key, (_, value)) in keys.into_iter().zip(leaves) {
        builder.add_leaf(key, value);
    }
    builder.root();
    let nodes = builder.take_proof_nodes().into_inner();
    nodes
        .into_iter()
        .filter(|(path, rlp)| {
            let node = TrieNode::decode(&mut &rlp[..]).unwrap();
            let inner = matches!(node, TrieNode::Branch(_) | TrieNode::Extension(_));
            inner && (rlp.len() >= 32 || path.is_empty())
        })
        .collect()
}
