use alloy_primitives::map::{AddressMap, AddressSet, B256Map, HashMap};
use alloy_primitives::{Address, B256, Bytes, U256};
use std::collections::VecDeque;
use std::sync::Arc;
use tandem_state::database::{DatabaseError, Snapshot};
use tandem_state::{Account, StateChanges, Store};

/// A block that was executed and may not be in the database yet.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    pub(super) number: u64,
    pub(super) hash: B256,
    pub(super) changes: Arc<StateChanges>,
}

/// The state that a segment executes on: the database's, and on top of it the blocks that the database does not hold yet.
#[derive(Debug)]
pub(super) struct Base {
    snapshot: Snapshot,
    accounts: AddressMap<Option<Account>>,
    storage: HashMap<(Address, U256), U256>,
    /// Accounts whose storage in the snapshot is gone.
    wiped: AddressSet,
    codes: B256Map<Bytes>,
    hashes: HashMap<u64, B256>,
}

impl Base {
    /// The state after the last of the `recent` blocks. Those that the snapshot has are dropped.
    pub(super) fn new(snapshot: Snapshot, recent: &mut VecDeque<Recent>) -> Self {
        let head = snapshot.head().map(|head| head.number);
        recent.retain(|block| Some(block.number) > head);
        let mut base = Self {
            snapshot,
            accounts: AddressMap::default(),
            storage: HashMap::default(),
            wiped: AddressSet::default(),
            codes: B256Map::default(),
            hashes: HashMap::default(),
        };
        for block in recent {
            base.hashes.insert(block.number, block.hash);
            base.apply(&block.changes);
        }
        base
    }

    fn apply(&mut self, changes: &StateChanges) {
        self.codes.extend(changes.codes.iter().map(|(hash, code)| (*hash, code.clone())));
        for (address, change) in &changes.accounts {
            if let Some((_, after)) = change.fields {
                self.accounts.insert(*address, after);
            }
            if change.storage_wiped {
                self.wiped.insert(*address);
                self.storage.retain(|(owner, _), _| owner != address);
            }
            self.storage.extend(change.storage.iter().map(|(slot, (_, after))| ((*address, *slot), *after)));
        }
    }
}

impl Store for Base {
    type Error = DatabaseError;

    fn account(&self, address: Address) -> Result<Option<Account>, DatabaseError> {
        self.accounts.get(&address).map_or_else(|| self.snapshot.account(address), |account| Ok(*account))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, DatabaseError> {
        match self.storage.get(&(address, slot)) {
            Some(value) => Ok(*value),
            None if self.wiped.contains(&address) => Ok(U256::ZERO),
            None => self.snapshot.storage(address, slot),
        }
    }

    fn code(&self, hash: B256) -> Result<Bytes, DatabaseError> {
        self.codes.get(&hash).map_or_else(|| self.snapshot.code(hash), |code| Ok(code.clone()))
    }

    fn block_hash(&self, number: u64) -> Result<B256, DatabaseError> {
        self.hashes.get(&number).map_or_else(|| self.snapshot.block_hash(number), |hash| Ok(*hash))
    }
}
