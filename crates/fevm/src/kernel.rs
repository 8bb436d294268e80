//! The recording kernel: `fvm`'s default kernel with a note of each call's observations. It charges nothing and changes nothing.

use fvm::call_manager::DefaultCallManager;
use fvm::externs::Externs;
use fvm::kernel::Result;
use fvm::kernel::filecoin::{DefaultFilecoinKernel, FilecoinKernel};
use fvm::kernel::prelude::*;
use fvm::machine::Machine;
use fvm::syscalls::Linker;
use fvm_ipld_blockstore::Blockstore;
use fvm_shared::consensus::ConsensusFault;
use fvm_shared::crypto::signature::{BLS_PUB_LEN, BLS_SIG_LEN};
use fvm_shared::piece::PieceInfo;
use fvm_shared::sector::{
    AggregateSealVerifyProofAndInfos, RegisteredSealProof, ReplicaUpdateInfo, SealVerifyInfo,
    WindowPoStVerifyInfo,
};

use crate::machine::Overlay;
use crate::record::Record;

/// The call stack under the kernel.
pub(crate) type Calls<B, E> = DefaultCallManager<Overlay<B, E>>;
type Inner<B, E> = DefaultFilecoinKernel<Calls<B, E>>;

/// Records the observations of the code that runs on it in its machine's record.
#[allow(clippy::duplicated_attributes)] // The bounds are the same for each trait.
#[derive(Delegate)]
#[delegate(EventOps, where = "B: Blockstore + 'static, E: Externs + 'static")]
#[delegate(MessageOps, where = "B: Blockstore + 'static, E: Externs + 'static")]
#[delegate(NetworkOps, where = "B: Blockstore + 'static, E: Externs + 'static")]
#[delegate(RandomnessOps, where = "B: Blockstore + 'static, E: Externs + 'static")]
pub(crate) struct Recorder<B: Blockstore + 'static, E: Externs + 'static>(Inner<B, E>);

impl<B: Blockstore + 'static, E: Externs + 'static> Recorder<B, E> {
    fn note(&self, note: impl FnOnce(&mut Record)) {
        let mut record = self.0.machine().record.borrow_mut();
        if record.on {
            note(&mut record);
        }
    }

    /// Notes a read, if reads are recorded.
    fn note_read(&self, note: impl FnOnce(&mut Record)) {
        let mut record = self.0.machine().record.borrow_mut();
        if record.reads {
            note(&mut record);
        }
    }

    fn id(&self) -> ActorID {
        self.0.0.actor_id
    }

    /// The present meaning of an address; a fault in finding out makes the message structural, so that it executes at its turn.
    fn look_up(&self, address: &Address) -> Option<ActorID> {
        match self.0.machine().state_tree().lookup_id(address) {
            Ok(found) => found,
            Err(_) => {
                self.note(|record| record.structural = true);
                None
            }
        }
    }
}

impl<B: Blockstore + 'static, E: Externs + 'static> Kernel for Recorder<B, E> {
    type CallManager = Calls<B, E>;
    type Limiter = <Inner<B, E> as Kernel>::Limiter;

    fn into_inner(self) -> (Self::CallManager, BlockRegistry) {
        self.note(Record::leave);
        self.0.into_inner()
    }

    fn new(
        calls: Self::CallManager,
        blocks: BlockRegistry,
        caller: ActorID,
        actor_id: ActorID,
        method: MethodNum,
        value_received: TokenAmount,
        read_only: bool,
    ) -> Self {
        let value = value_received.is_positive();
        let kernel = Self(Inner::new(calls, blocks, caller, actor_id, method, value_received, read_only));
        kernel.note(|record| record.enter(caller, actor_id, value));
        kernel
    }

    fn machine(&self) -> &Overlay<B, E> {
        self.0.machine()
    }

    fn limiter_mut(&mut self) -> &mut Self::Limiter {
        self.0.limiter_mut()
    }

    fn gas_available(&self) -> Gas {
        self.0.gas_available()
    }

    fn charge_gas(&self, name: &str, compute: Gas) -> Result<GasTimer> {
        self.0.charge_gas(name, compute)
    }
}

impl<B: Blockstore + 'static, E: Externs + 'static> SyscallHandler<Self> for Recorder<B, E> {
    fn link_syscalls(linker: &mut Linker<Self>) -> anyhow::Result<()> {
        <Inner<B, E> as SyscallHandler<Self>>::link_syscalls(linker)
    }
}

impl<B: Blockstore + 'static, E: Externs + 'static> SendOps for Recorder<B, E> {
    fn send(
        &mut self,
        recipient: &Address,
        method: MethodNum,
        params: BlockId,
        value: &TokenAmount,
        gas_limit: Option<Gas>,
        flags: SendFlags,
    ) -> Result<CallResult> {
        if self.0.machine().record.borrow().on {
            let found = self.look_up(recipient);
            let from = self.id();
            self.note(|record| {
                record.recipient(recipient, found);
                if !value.is_zero() {
                    record.balances.insert(from);
                }
            });
        }
        <Inner<B, E> as SendOps<Self>>::send(&mut self.0, recipient, method, params, value, gas_limit, flags)
    }
}

impl<B: Blockstore + 'static, E: Externs + 'static> UpgradeOps for Recorder<B, E> {
    fn upgrade_actor(&mut self, code: Cid, params: BlockId) -> Result<CallResult> {
        self.note(|record| record.structural = true);
        <Inner<B, E> as UpgradeOps<Self>>::upgrade_actor(&mut self.0, code, params)
    }
}

impl<B: Blockstore + 'static, E: Externs + 'static> IpldBlockOps for Recorder<B, E> {
    fn block_open(&mut self, cid: &Cid) -> Result<(BlockId, BlockStat)> {
        self.note_read(|record| {
            record.opened.insert(*cid);
        });
        self.0.block_open(cid)
    }

    fn block_create(&mut self, codec: u64, data: &[u8]) -> Result<BlockId> {
        self.0.block_create(codec, data)
    }

    fn block_link(&mut self, id: BlockId, hash: u64, length: u32) -> Result<Cid> {
        let cid = self.0.block_link(id, hash, length)?;
        self.note_read(|record| {
            record.written.insert(cid);
        });
        Ok(cid)
    }

    fn block_read(&self, id: BlockId, offset: u32, into: &mut [u8]) -> Result<i32> {
        self.0.block_read(id, offset, into)
    }

    fn block_stat(&self, id: BlockId) -> Result<BlockStat> {
        self.0.block_stat(id)
    }
}

impl<B: Blockstore + 'static, E: Externs + 'static> SelfOps for Recorder<B, E> {
    fn root(&mut self) -> Result<Cid> {
        self.0.root()
    }

    fn set_root(&mut self, root: Cid) -> Result<()> {
        let id = self.id();
        self.note_read(|record| record.set_root(id));
        self.0.set_root(root)
    }

    fn current_balance(&self) -> Result<TokenAmount> {
        let id = self.id();
        self.note_read(|record| {
            record.balances.insert(id);
        });
        self.0.current_balance()
    }

    fn self_destruct(&mut self, burn_unspent: bool) -> Result<()> {
        self.note(|record| record.structural = true);
        self.0.self_destruct(burn_unspent)
    }
}

impl<B: Blockstore + 'static, E: Externs + 'static> ActorOps for Recorder<B, E> {
    fn resolve_address(&self, address: &Address) -> Result<ActorID> {
        let reads = self.0.machine().record.borrow().reads;
        if reads && self.look_up(address).is_none() {
            self.note_read(|record| record.unresolved.push(*address));
        }
        self.0.resolve_address(address)
    }

    fn lookup_delegated_address(&self, id: ActorID) -> Result<Option<Address>> {
        self.note_read(|record| {
            record.touched.insert(id);
        });
        self.0.lookup_delegated_address(id)
    }

    fn get_actor_code_cid(&self, id: ActorID) -> Result<Cid> {
        self.note_read(|record| {
            record.touched.insert(id);
        });
        self.0.get_actor_code_cid(id)
    }

    fn next_actor_address(&self) -> Result<Address> {
        self.0.next_actor_address()
    }

    fn create_actor(&mut self, code: Cid, id: ActorID, delegated_address: Option<Address>) -> Result<()> {
        self.note(|record| {
            record.structural = true;
            record.touched.insert(id);
        });
        self.0.create_actor(code, id, delegated_address)
    }

    fn install_actor(&mut self, code: Cid) -> Result<()> {
        self.note(|record| record.structural = true);
        self.0.install_actor(code)
    }

    fn get_builtin_actor_type(&self, code: &Cid) -> Result<u32> {
        self.0.get_builtin_actor_type(code)
    }

    fn get_code_cid_for_type(&self, kind: u32) -> Result<Cid> {
        self.0.get_code_cid_for_type(kind)
    }

    fn balance_of(&self, id: ActorID) -> Result<TokenAmount> {
        self.note_read(|record| {
            record.touched.insert(id);
            record.balances.insert(id);
        });
        self.0.balance_of(id)
    }
}

impl<B: Blockstore + 'static, E: Externs + 'static> CryptoOps for Recorder<B, E> {
    fn verify_signature(
        &self,
        kind: SignatureType,
        signature: &[u8],
        signer: &Address,
        text: &[u8],
    ) -> Result<bool> {
        self.0.verify_signature(kind, signature, signer, text)
    }

    fn verify_bls_aggregate(
        &self,
        signature: &[u8; BLS_SIG_LEN],
        keys: &[[u8; BLS_PUB_LEN]],
        texts: &[u8],
        lengths: &[u32],
    ) -> Result<bool> {
        self.0.verify_bls_aggregate(signature, keys, texts, lengths)
    }

    fn recover_secp_public_key(
        &self,
        hash: &[u8; SECP_SIG_MESSAGE_HASH_SIZE],
        signature: &[u8; SECP_SIG_LEN],
    ) -> Result<[u8; SECP_PUB_LEN]> {
        self.0.recover_secp_public_key(hash, signature)
    }

    fn hash(&self, code: u64, data: &[u8]) -> Result<Multihash> {
        self.0.hash(code, data)
    }
}

/// Messages for debugging come from each execution of a message, of which there may be several.
impl<B: Blockstore + 'static, E: Externs + 'static> DebugOps for Recorder<B, E> {
    fn log(&mut self, message: String) {
        self.0.log(message);
    }

    fn debug_enabled(&self) -> bool {
        self.0.debug_enabled()
    }

    fn store_artifact(&self, name: &str, data: &[u8]) -> Result<()> {
        self.0.store_artifact(name, data)
    }
}

impl<B: Blockstore + 'static, E: Externs + 'static> FilecoinKernel for Recorder<B, E> {
    fn compute_unsealed_sector_cid(&self, proof: RegisteredSealProof, pieces: &[PieceInfo]) -> Result<Cid> {
        self.0.compute_unsealed_sector_cid(proof, pieces)
    }

    fn verify_post(&self, info: &WindowPoStVerifyInfo) -> Result<bool> {
        self.0.verify_post(info)
    }

    fn verify_consensus_fault(
        &self,
        first: &[u8],
        second: &[u8],
        extra: &[u8],
    ) -> Result<Option<ConsensusFault>> {
        self.0.verify_consensus_fault(first, second, extra)
    }

    fn batch_verify_seals(&self, infos: &[SealVerifyInfo]) -> Result<Vec<bool>> {
        self.0.batch_verify_seals(infos)
    }

    fn verify_aggregate_seals(&self, aggregate: &AggregateSealVerifyProofAndInfos) -> Result<bool> {
        self.0.verify_aggregate_seals(aggregate)
    }

    fn verify_replica_update(&self, replica: &ReplicaUpdateInfo) -> Result<bool> {
        self.0.verify_replica_update(replica)
    }

    fn total_fil_circ_supply(&self) -> Result<TokenAmount> {
        self.0.total_fil_circ_supply()
    }
}
