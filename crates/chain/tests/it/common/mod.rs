//! Helpers of several tests: the recorded chain, and chains made up for the purpose.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

pub mod made_up;

use alloy_consensus::Header;
use alloy_consensus::proofs::state_root_unhashed;
use alloy_primitives::{B256, Sealable, Sealed, U256};
use alloy_trie::TrieAccount;
use alloy_trie::root::storage_root_unhashed;
use std::fs::File;
use std::path::{Path, PathBuf};
use tandem_chain::{ChainFile, FileBlock, Genesis, GenesisAccount};

/// A folder beside the checkout. Without it, a test fails where `CI=true` is set and is skipped elsewhere.
pub fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    if path.is_dir() {
        return Some(path);
    }
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{} is missing", path.display());
    println!("skipped: {} is missing", path.display());
    None
}

/// The recorded chain, which passes through every fork from Homestead to BPO2.
pub struct Recorded {
    pub genesis: Genesis,
    pub root: Sealed<Header>,
    pub blocks: Vec<FileBlock>,
}

impl Recorded {
    pub fn load() -> Option<Self> {
        let folder = shared("chain")?;
        let genesis = Genesis::read(File::open(folder.join("genesis.json")).unwrap()).unwrap();
        let root = genesis.header(state_root(genesis.accounts())).seal_slow();
        let blocks = ChainFile::open(folder.join("chain.rlp")).unwrap().map(Result::unwrap).collect();
        Some(Self { genesis, root, blocks })
    }

    /// The headers from the genesis on, so that the index is the number.
    pub fn headers(&self) -> Vec<Sealed<Header>> {
        let blocks = self
            .blocks
            .iter()
            .map(|file| Sealed::new_unchecked(file.block.header.clone(), file.block.hash()));
        std::iter::once(self.root.clone()).chain(blocks).collect()
    }

    /// The sum of difficulties up to each header, in the order of [`Recorded::headers`].
    pub fn total_difficulties(&self) -> Vec<U256> {
        let sum = |total: &mut U256, header: Sealed<Header>| {
            *total += header.difficulty;
            Some(*total)
        };
        self.headers().into_iter().scan(U256::ZERO, sum).collect()
    }
}

/// The root of the state that these accounts make.
pub fn state_root(accounts: &[GenesisAccount]) -> B256 {
    state_root_unhashed(accounts.iter().map(|entry| {
        let slots = entry.storage.iter().map(|(slot, value)| (B256::from(*slot), *value));
        let account = TrieAccount {
            nonce: entry.account.nonce,
            balance: entry.account.balance,
            storage_root: storage_root_unhashed(slots),
            code_hash: entry.account.code_hash,
        };
        (entry.address, account)
    }))
}
