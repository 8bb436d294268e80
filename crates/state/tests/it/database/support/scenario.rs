use super::{
    model::{ADDRESSES, Model, SLOTS, address},
    rng::Rng,
};
use alloy_consensus::{
    EthereumReceipt, Header, Signed, TxEip1559, TxLegacy, TxType, constants::EMPTY_OMMER_ROOT_HASH,
    proofs::calculate_transaction_root,
};
use alloy_eips::eip4895::{Withdrawal, Withdrawals};
use alloy_primitives::{Address, B256, Bytes, Log, LogData, Signature, U256};
use alloy_trie::EMPTY_ROOT_HASH;
use tandem_state::{
    Account, AccountChange, StateChanges,
    database::{Batch, BlockBody, BlockRecord, Database},
    trie::{HashedChanges, LeafUpdates, NoSource, NodeUpdates, StateTrie},
};

/// A random chain: its commits, and the state after each block.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) genesis: Header,
    pub(crate) genesis_leaves: LeafUpdates,
    pub(crate) genesis_nodes: NodeUpdates,
    pub(crate) genesis_codes: Vec<(B256, Bytes)>,
    pub(crate) batches: Vec<Batch>,
    /// By block number.
    pub(crate) states: Vec<Model>,
    /// By block number, the genesis left out.
    pub(crate) changes: Vec<StateChanges>,
}

pub(crate) const CONFIG: &[u8] = b"{\"chainId\":7}";

impl Scenario {
    /// `batches` batches of `per_batch` blocks on a genesis with some accounts and storage.
    pub(crate) fn new(seed: u64, batches: u64, per_batch: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut trie = StateTrie::new(EMPTY_ROOT_HASH);
        let mut state = Model::default();
        let first = genesis_changes(&mut rng);
        state.apply(&first);
        let (root, genesis_leaves) = hash(&mut trie, &first);
        let (_, genesis_nodes) = trie.take_nodes();
        let genesis = Header { state_root: root, ommers_hash: EMPTY_OMMER_ROOT_HASH, ..Header::default() };
        let mut scenario = Self {
            genesis: genesis.clone(),
            genesis_leaves,
            genesis_nodes,
            genesis_codes: codes(&first),
            batches: Vec::new(),
            states: vec![state.clone()],
            changes: Vec::new(),
        };
        let mut parent = genesis;
        for _ in 0..batches {
            let mut batch = Batch::default();
            for _ in 0..per_batch {
                let accounts = rng.below(16);
                let changes = state.random_changes(&mut rng, accounts);
                state.apply(&changes);
                let (root, leaves) = hash(&mut trie, &changes);
                let block = block(&mut rng, &parent, root, leaves, codes(&changes));
                parent = block.header.clone();
                batch.blocks.push(block);
                scenario.states.push(state.clone());
                scenario.changes.push(changes);
            }
            batch.nodes = trie.take_nodes().1;
            scenario.batches.push(batch);
        }
        scenario
    }

    /// Loads the genesis in a few parts.
    pub(crate) fn load_genesis(&self, database: &Database) {
        let mut loader = database.begin_genesis(self.genesis.hash_slow(), CONFIG).unwrap();
        let (accounts, storages) = (&self.genesis_leaves.accounts, &self.genesis_leaves.storages);
        for chunk in accounts.chunks(9) {
            let leaves = LeafUpdates { accounts: chunk.to_vec(), ..LeafUpdates::default() };
            loader.load(&leaves, &NodeUpdates::default(), &[]).unwrap();
        }
        let leaves = LeafUpdates { storages: storages.clone(), ..LeafUpdates::default() };
        loader.load(&leaves, &NodeUpdates::default(), &self.genesis_codes).unwrap();
        loader.load(&LeafUpdates::default(), &self.genesis_nodes, &[]).unwrap();
        loader.finish(self.genesis.clone()).unwrap();
    }

    /// Loads the genesis and commits all batches.
    pub(crate) fn load_all(&self, database: &Database) {
        self.load_genesis(database);
        for batch in &self.batches {
            database.commit(batch).unwrap();
        }
    }

    pub(crate) fn blocks(&self) -> impl DoubleEndedIterator<Item = &BlockRecord> {
        self.batches.iter().flat_map(|batch| &batch.blocks)
    }

    /// Number of the last block.
    pub(crate) fn last(&self) -> u64 {
        self.changes.len() as u64
    }
}

fn hash(trie: &mut StateTrie, changes: &StateChanges) -> (B256, LeafUpdates) {
    trie.update(&HashedChanges::new(changes), &NoSource).unwrap();
    trie.finish_block(&NoSource).unwrap()
}

fn codes(changes: &StateChanges) -> Vec<(B256, Bytes)> {
    changes.codes.iter().map(|(hash, code)| (*hash, code.clone())).collect()
}

/// Two thirds of the accounts, some with all slots.
fn genesis_changes(rng: &mut Rng) -> StateChanges {
    let mut changes = StateChanges::default();
    for index in (0..ADDRESSES).filter(|index| index % 3 != 0) {
        let account = Account { balance: U256::from(rng.next()), nonce: index, ..Account::default() };
        let slots = if index % 4 == 0 { SLOTS } else { index % 3 };
        let slots = (1..slots).map(|slot| (U256::from(slot), (U256::ZERO, U256::from(rng.next() | 1))));
        let change = AccountChange {
            fields: Some((None, Some(account))),
            storage_wiped: false,
            storage: slots.collect(),
        };
        changes.accounts.insert(address(index), change);
    }
    changes
}

fn block(
    rng: &mut Rng,
    parent: &Header,
    state_root: B256,
    leaves: LeafUpdates,
    codes: Vec<(B256, Bytes)>,
) -> BlockRecord {
    let number = parent.number + 1;
    let transactions = (0..rng.below(4))
        .map(|index| {
            let signature = Signature::test_signature();
            let nonce = number << 8 | index;
            if index % 2 == 0 {
                Signed::new_unhashed(TxLegacy { nonce, ..TxLegacy::default() }, signature).into()
            } else {
                let input = Bytes::from(vec![7; rng.below(300) as usize]);
                let transaction = TxEip1559 { nonce, chain_id: 7, input, ..TxEip1559::default() };
                Signed::new_unhashed(transaction, signature).into()
            }
        })
        .collect::<Vec<_>>();
    let receipts = (0..).zip(&transactions).map(|(index, _)| EthereumReceipt {
        tx_type: if index % 2 == 0 { TxType::Legacy } else { TxType::Eip1559 },
        success: rng.percent(80),
        cumulative_gas_used: 21_000 * (index + 1),
        logs: vec![Log {
            address: Address::repeat_byte(index as u8),
            data: LogData::new_unchecked(
                vec![B256::with_last_byte(number as u8)],
                Bytes::from_static(b"data"),
            ),
        }],
    });
    let receipts = receipts.collect();
    let withdrawals = rng
        .percent(50)
        .then(|| Withdrawals::new(vec![Withdrawal { amount: number, ..Withdrawal::default() }]));
    let ommers = if rng.percent(20) { vec![Header { number, ..Header::default() }] } else { Vec::new() };
    let header = Header {
        number,
        parent_hash: parent.hash_slow(),
        state_root,
        transactions_root: calculate_transaction_root(&transactions),
        timestamp: number * 12,
        ..Header::default()
    };
    let body = BlockBody { transactions, ommers, withdrawals };
    BlockRecord { hash: header.hash_slow(), header, body, receipts, leaves, codes }
}
