//! The world of generated tipsets: system actors, accounts and contracts.

use std::sync::Arc;

use anyhow::Context as _;
use cid::Cid;
use fvm::externs::{Chain, Consensus, Externs, Rand};
use fvm::machine::{MachineContext, NetworkConfig};
use fvm::state_tree::{ActorState, StateTree, StateTreeVersion};
use fvm_ipld_blockstore::{Block, Blockstore};
use fvm_ipld_encoding::{CborStore, DAG_CBOR, IPLD_RAW, RawBytes};
use fvm_ipld_hamt::Hamt;
use fvm_shared::address::Address;
use fvm_shared::clock::ChainEpoch;
use fvm_shared::consensus::ConsensusFault;
use fvm_shared::econ::TokenAmount;
use fvm_shared::message::Message;
use fvm_shared::version::NetworkVersion;
use fvm_shared::{ActorID, EMPTY_ARR_CID, METHOD_SEND};
use multihash_codetable::{Code, MultihashDigest};

use super::program::Program;
use crate::kamt::{self, Slot, Value};
use crate::record::EAM;
use crate::step::Step;
use crate::store::MemoryStore;

/// The test actor.
const ACTOR: &str = include_str!("actor.wat");

/// The built-in actors that the world knows, and that all run the test actor.
const ROLES: [&str; 9] =
    ["system", "init", "cron", "account", "reward", "placeholder", "eam", "ethaccount", "evm"];

/// The method that calls a contract.
const INVOKE: u64 = 3_844_450_837;

/// The method of actor 10 that creates a contract.
const DEPLOY: u64 = 4;

/// The first value of all slots.
const START: u64 = 1 << 40;

/// Which actor has which ID.
const FIRST_ACCOUNT: ActorID = 1_000;

/// A chain without randomness and without faults.
#[derive(Clone, Copy, Debug)]
pub struct Fixed;

impl Externs for Fixed {}

impl Rand for Fixed {
    fn get_chain_randomness(&self, round: ChainEpoch) -> anyhow::Result<[u8; 32]> {
        Ok([round as u8; 32])
    }

    fn get_beacon_randomness(&self, round: ChainEpoch) -> anyhow::Result<[u8; 32]> {
        Ok([!(round as u8); 32])
    }
}

impl Consensus for Fixed {
    fn verify_consensus_fault(
        &self,
        _: &[u8],
        _: &[u8],
        _: &[u8],
    ) -> anyhow::Result<(Option<ConsensusFault>, i64)> {
        Ok((None, 0))
    }
}

impl Chain for Fixed {
    fn get_tipset_cid(&self, _: ChainEpoch) -> anyhow::Result<Cid> {
        Ok(EMPTY_ARR_CID)
    }
}

/// Reproducible choices.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The same choices for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number (SplitMix64).
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not zero.
    pub fn below(&mut self, n: usize) -> usize {
        (self.number() % n as u64) as usize
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Accounts, contracts and the state they are in.
pub struct World {
    /// The blocks of the state.
    pub store: Arc<MemoryStore>,
    /// Network, epoch and state root.
    pub context: MachineContext,
    /// The code CID under which contracts run.
    pub evm: Cid,
    /// The bundle's manifest of actors.
    pub manifest: Cid,
    /// Slots that each contract has from the start.
    pub slots: usize,
    /// Accounts, by index.
    accounts: usize,
    /// Contracts, by index.
    contracts: usize,
    /// The next sequence of each account.
    sequences: Vec<u64>,
}

fn assemble(role: usize) -> anyhow::Result<Vec<u8>> {
    let text = ACTOR.replace("ROLE", &role.to_string());
    wat::parse_str(&text).context("the test actor does not assemble")
}

/// The module with a custom section that sets it apart from those of other roles.
fn named(module: &[u8], role: &str) -> Vec<u8> {
    let name = b"role";
    let content = [&[name.len() as u8], name.as_slice(), role.as_bytes()].concat();
    [module, &[0, content.len() as u8], &content].concat()
}

fn delegated(number: u64) -> Address {
    let mut name = [0xfe; 20];
    name[12..].copy_from_slice(&number.to_be_bytes());
    ethereum(&name)
}

fn ethereum(name: &[u8]) -> Address {
    Address::new_delegated(EAM, name).unwrap_or(Address::new_id(0))
}

/// The state tuple of a contract with these slots.
fn tuple(store: &MemoryStore, slots: &Cid) -> anyhow::Result<Cid> {
    let bytecode = store.put(Code::Blake2b256, &Block::new(IPLD_RAW, b"tandem"))?;
    let mut tuple = vec![0x86];
    let link = |tuple: &mut Vec<u8>, cid: &Cid| {
        tuple.extend([0xd8, 0x2a, 0x58, 0x27, 0]);
        tuple.extend(cid.to_bytes());
    };
    link(&mut tuple, &bytecode);
    tuple.extend([0x58, 0x20]);
    tuple.extend([7; 32]);
    link(&mut tuple, slots);
    // No transient data, nonce 1, alive.
    tuple.extend([0xf6, 1, 0xf6]);
    store.put(Code::Blake2b256, &Block::new(DAG_CBOR, tuple))
}

impl World {
    /// The first ID that the init actor gives: far above all others, so that created actors can be given some in between.
    pub const FIRST_CREATED: ActorID = 1_000_000;

    /// A world with so many accounts, and contracts with so many slots each.
    ///
    /// # Errors
    /// If it cannot be encoded, which would be a fault of this crate.
    pub fn new(accounts: usize, contracts: usize, slots: usize) -> anyhow::Result<Self> {
        let modules: anyhow::Result<Vec<_>> = (0..ROLES.len()).map(assemble).collect();
        Self::of(&modules?, accounts, contracts, slots)
    }

    /// The same with another actor, which must understand what [`Program`] says.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn running(actor: &[u8], accounts: usize, contracts: usize, slots: usize) -> anyhow::Result<Self> {
        Self::of(&ROLES.map(|role| named(actor, role)), accounts, contracts, slots)
    }

    /// With a module for each role.
    fn of(modules: &[Vec<u8>], accounts: usize, contracts: usize, slots: usize) -> anyhow::Result<Self> {
        let store = Arc::new(MemoryStore::default());
        let mut codes = Vec::new();
        for (role, module) in ROLES.iter().zip(modules) {
            let code = Block::new(IPLD_RAW, module.as_slice());
            codes.push(((*role).to_owned(), store.put(Code::Blake2b256, &code)?));
        }
        let code = |name: &str| {
            let found = codes.iter().find(|(role, _)| role == name);
            found.map(|(_, code)| *code).context("a role has no code")
        };
        let list = store.put_cbor(&codes, Code::Blake2b256)?;
        let manifest = store.put_cbor(&(1_u32, list), Code::Blake2b256)?;
        let fil = TokenAmount::from_whole;
        let mut tree = StateTree::new(Arc::clone(&store), StateTreeVersion::V5)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let system = store.put_cbor(&(list,), Code::Blake2b256)?;
        let mut actor = |id, role: &str, state, balance, address| {
            code(role).map(|code| {
                tree.set_actor(id, ActorState::new(code, state, balance, 0, address));
            })
        };
        store.put_cbor(&[(); 0], Code::Blake2b256)?;
        actor(0, "system", system, fil(0), None)?;
        for (id, role) in [(2, "reward"), (3, "cron"), (EAM, "eam"), (99, "account")] {
            actor(id, role, EMPTY_ARR_CID, fil(1), None)?;
        }
        let mut addresses = Hamt::<_, ActorID>::new_with_bit_width(Arc::clone(&store), 5);
        let mut id = FIRST_ACCOUNT;
        for _ in 0..accounts {
            addresses.set(delegated(id).to_bytes().into(), id)?;
            actor(id, "ethaccount", EMPTY_ARR_CID, fil(1_000_000), Some(delegated(id)))?;
            id += 1;
        }
        for contract in 0..contracts {
            let mut filled = kamt::empty(&*store);
            for slot in 0..slots {
                let value = Value::new(START).context("zero")?;
                filled.set(Slot::new(&Self::key(contract, slot)), value)?;
            }
            let state = tuple(&store, &filled.flush()?)?;
            addresses.set(delegated(id).to_bytes().into(), id)?;
            actor(id, "evm", state, fil(10), Some(delegated(id)))?;
            id += 1;
        }
        let init = (addresses.flush()?, Self::FIRST_CREATED, "tandem".to_owned());
        let init = store.put_cbor(&init, Code::Blake2b256)?;
        actor(1, "init", init, fil(0), None)?;
        let evm = code("evm")?;
        let root = tree.flush().map_err(|error| anyhow::anyhow!("{error}"))?;
        let mut context = NetworkConfig::new(NetworkVersion::V27).for_epoch(7, 1_700_000_000, root);
        context.set_base_fee(TokenAmount::from_atto(100));
        Ok(Self { store, context, evm, manifest, slots, accounts, contracts, sequences: vec![0; accounts] })
    }

    /// The key of a contract's slot.
    pub fn key(contract: usize, slot: usize) -> [u8; 32] {
        let mut name = [0; 16];
        name[..8].copy_from_slice(&(contract as u64).to_be_bytes());
        name[8..].copy_from_slice(&(slot as u64).to_be_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(Code::Blake2b256.digest(&name).digest());
        key
    }

    /// The number of accounts.
    pub fn accounts(&self) -> usize {
        self.accounts
    }

    /// The number of contracts.
    pub fn contracts(&self) -> usize {
        self.contracts
    }

    /// An account's ID.
    pub fn account_id(&self, account: usize) -> ActorID {
        FIRST_ACCOUNT + account as ActorID
    }

    /// A contract's ID.
    pub fn contract_id(&self, contract: usize) -> ActorID {
        FIRST_ACCOUNT + (self.accounts + contract) as ActorID
    }

    /// An account's address.
    pub fn account(&self, account: usize) -> Address {
        delegated(self.account_id(account))
    }

    /// A contract's address.
    pub fn contract(&self, contract: usize) -> Address {
        delegated(self.contract_id(contract))
    }

    /// An address that is still free.
    pub fn stranger(&self, number: u64) -> Address {
        delegated((1 << 40) + number)
    }

    /// The address of the contract that an actor creates with this nonce.
    pub fn created_by(creator: ActorID, nonce: u64) -> Address {
        let name = [creator.to_be_bytes(), nonce.to_be_bytes()].concat();
        ethereum(&Code::Blake2b256.digest(&name).digest()[12..])
    }

    /// A message from an account, with its next sequence, that creates a contract, which runs the program.
    pub fn deploy(&mut self, from: usize, program: &Program) -> Message {
        self.message(from, Address::new_id(EAM), DEPLOY, 0, program.params())
    }

    /// A message from an account, with its next sequence, that calls `to`.
    pub fn call(&mut self, from: usize, to: Address, program: &Program) -> Message {
        self.message(from, to, INVOKE, 0, program.params())
    }

    /// A message from an account, with its next sequence, that sends value and calls nothing.
    pub fn send(&mut self, from: usize, to: Address, atto: u64) -> Message {
        self.message(from, to, METHOD_SEND, atto, RawBytes::default())
    }

    fn message(&mut self, from: usize, to: Address, method_num: u64, atto: u64, params: RawBytes) -> Message {
        let sequence = self.sequences[from];
        self.sequences[from] += 1;
        Message {
            version: 0,
            from: self.account(from),
            to,
            sequence,
            value: TokenAmount::from_atto(atto),
            method_num,
            params,
            gas_limit: 5_000_000_000,
            gas_fee_cap: TokenAmount::from_atto(250),
            gas_premium: TokenAmount::from_atto(20),
        }
    }

    /// Takes back an account's last sequence, for a message that cannot start.
    pub fn take_back(&mut self, from: usize) {
        self.sequences[from] -= 1;
    }

    /// Goes on from the state after a tipset.
    pub fn advance(&mut self, root: Cid) {
        self.context.initial_state_root = root;
        self.context.epoch += 1;
    }

    /// A message as a step.
    pub fn step(message: Message) -> Step {
        let raw_length = fvm_ipld_encoding::to_vec(&message).map_or(0, |data| data.len());
        Step::Explicit { message, raw_length }
    }
}
