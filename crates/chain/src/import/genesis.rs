use super::compatible;
use super::error::ImportError;
use super::tip::chain_spec;
use crate::genesis::{Genesis, GenesisAccount};
use alloy_primitives::{B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use rayon::prelude::*;
use std::time::{Duration, Instant};
use tandem_state::database::{Database, DatabaseError, Head};
use tandem_state::trie::{HashedAccount, HashedChanges, StateTrie};

/// Leaves that are loaded in one commit.
const CHUNK: usize = 200_000;
/// Trie nodes that stay in memory between commits.
const RESIDENT_NODES: usize = 100_000;

/// An account of the state as it goes into the trie, with its code.
type Leaf = (B256, HashedAccount, Option<(B256, Bytes)>);

/// Makes sure that the database holds this genesis: loads it if there is none. Returns the head, which may be far beyond
/// the genesis, and how long loading took.
///
/// If the genesis is there, but with other rules, such as a fork that was not planned then, these are taken over.
///
/// Works on the current rayon pool. A load that was interrupted starts anew.
///
/// # Errors
///
/// If the database has another genesis, or blocks that other rules hold for than those of this one, or fails.
pub fn initialize(database: &Database, genesis: Genesis) -> Result<(Head, Duration), ImportError> {
    let start = Instant::now();
    let (config, headless, chain) =
        (genesis.description(), genesis.header(B256::ZERO), genesis.chain().clone());
    let mut leaves: Vec<Leaf> = genesis.into_accounts().into_par_iter().map(leaf).collect();
    leaves.par_sort_unstable_by_key(|(key, ..)| *key);
    let root = state_root(&leaves);
    let header = alloy_consensus::Header { state_root: root, ..headless };
    let hash = header.hash_slow();
    if let Some(head) = database.head()? {
        let snapshot = database.snapshot()?;
        let found = snapshot.genesis().unwrap_or_default();
        if found != hash {
            return Err(DatabaseError::Genesis { found, wanted: hash }.into());
        }
        if snapshot.config()?.is_none_or(|stored| stored[..] != *config.as_bytes()) {
            compatible::check(&chain_spec(&snapshot)?, &chain, &snapshot)?;
            database.replace_config(config.as_bytes())?;
        }
        return Ok((head, Duration::ZERO));
    }
    let mut loader = database.begin_genesis(hash, config.as_bytes())?;
    let mut trie = StateTrie::new(EMPTY_ROOT_HASH);
    let mut rest = leaves.into_iter().peekable();
    while rest.peek().is_some() {
        let (changes, codes) = chunk(&mut rest);
        let source = database.snapshot()?;
        trie.update(&changes, &source)?;
        let (_, updates) = trie.finish_block(&source)?;
        let (epoch, nodes) = trie.take_nodes();
        loader.load(&updates, &nodes, &codes)?;
        // Keys ascend: of what is loaded, no more than the path to the next key is needed again.
        trie.prune(epoch, RESIDENT_NODES);
    }
    if trie.root() != root {
        return Err(ImportError::Internal("two ways to compute the genesis' state root differ"));
    }
    loader.finish(header)?;
    let head = database.head()?.ok_or(DatabaseError::NoGenesis)?;
    Ok((head, start.elapsed()))
}

/// The next leaves to load, and the codes that they name.
fn chunk(rest: &mut impl Iterator<Item = Leaf>) -> (HashedChanges, Vec<(B256, Bytes)>) {
    let (mut changes, mut codes, mut count) = (HashedChanges::default(), Vec::new(), 0);
    for (key, account, code) in rest {
        count += 1 + account.storage.len();
        changes.accounts.push((key, account));
        codes.extend(code);
        if count >= CHUNK {
            break;
        }
    }
    (changes, codes)
}

fn leaf(account: GenesisAccount) -> Leaf {
    let GenesisAccount { address, account, code, storage } = account;
    let hash = |(slot, value): (U256, U256)| (keccak256(slot.to_be_bytes::<32>()), value);
    let mut storage: Vec<_> = storage.into_iter().map(hash).collect();
    storage.sort_unstable_by_key(|(key, _)| *key);
    let code = (account.code_hash != KECCAK256_EMPTY).then_some((account.code_hash, code));
    let account = HashedAccount { account: Some(Some(account)), storage_wiped: false, storage };
    (keccak256(address), account, code)
}

/// The root of the state, computed without the tries that are loaded.
fn state_root(leaves: &[Leaf]) -> B256 {
    let accounts = leaves.par_iter().filter_map(|(key, change, _)| {
        let account = change.account.flatten()?;
        let storage = change.storage.iter().copied();
        let storage_root = alloy_trie::root::storage_root(storage);
        let (balance, nonce, code_hash) = (account.balance, account.nonce, account.code_hash);
        Some((*key, TrieAccount { nonce, balance, storage_root, code_hash }))
    });
    alloy_trie::root::state_root(accounts.collect::<Vec<_>>())
}
