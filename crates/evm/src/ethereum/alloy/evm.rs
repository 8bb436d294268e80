use crate::ethereum::chain_spec::ChainSpec;
use crate::ethereum::sstore_1283;
use crate::protocol::Block;
use alloy_evm::eth::EthEvmContext;
use alloy_evm::precompiles::PrecompilesMap;
use alloy_evm::{Database, Evm, EvmEnv};
use alloy_primitives::{Address, Bytes};
use revm::bytecode::opcode::SSTORE;
use revm::context::result::{EVMError, HaltReason, ResultAndState};
use revm::context::{BlockEnv, CfgEnv, ContextSetters, ContextTr, Evm as RevmEvm, JournalTr, TxEnv};
use revm::handler::instructions::EthInstructions;
use revm::handler::{EthFrame, Handler, MainnetHandler, SystemCallTx};
use revm::interpreter::Instruction;
use revm::interpreter::interpreter::EthInterpreter;
use revm::precompile::{PrecompileSpecId, Precompiles};
use revm::primitives::hardfork::SpecId;
use revm::{Context, ExecuteEvm, MainBuilder, MainContext};

/// Gas of a system call before Amsterdam (EIPs 4788, 2935, 7002, 7251).
const SYSTEM_CALL_GAS: u64 = 30_000_000;

type Inner<DB> = RevmEvm<
    EthEvmContext<DB>,
    (),
    EthInstructions<EthInterpreter, EthEvmContext<DB>>,
    PrecompilesMap,
    EthFrame,
>;

/// alloy-evm's `EthEvm` with the gas that system calls have before Amsterdam, and the price of storage that EIP-1283 had.
pub(super) struct SpecifiedEvm<DB: Database>(Inner<DB>);

impl<DB: Database> SpecifiedEvm<DB> {
    pub(super) fn new(block: &Block<ChainSpec>, db: DB) -> Self {
        let precompiles = Precompiles::new(PrecompileSpecId::from_spec_id(block.spec_id()));
        let context = Context::mainnet()
            .with_block(block.env().block_env.clone())
            .with_cfg(block.env().cfg_env.clone())
            .with_db(db);
        let mut evm = context.build_mainnet().with_precompiles(PrecompilesMap::from_static(precompiles));
        evm.ctx.journaled_state.set_spec_id(block.spec_id());
        if block.has_net_gas() {
            evm.instruction.instruction_table_mut()[SSTORE as usize] = Instruction::new(sstore_1283::sstore);
        }
        Self(evm)
    }
}

impl<DB: Database> Evm for SpecifiedEvm<DB> {
    type DB = DB;
    type Tx = TxEnv;
    type Error = EVMError<DB::Error>;
    type HaltReason = HaltReason;
    type Spec = SpecId;
    type BlockEnv = BlockEnv;
    type Precompiles = PrecompilesMap;
    type Inspector = ();

    fn block(&self) -> &BlockEnv {
        &self.0.ctx.block
    }

    fn cfg_env(&self) -> &CfgEnv {
        &self.0.ctx.cfg
    }

    fn chain_id(&self) -> u64 {
        self.0.ctx.cfg.chain_id
    }

    fn transact_raw(&mut self, tx: TxEnv) -> Result<ResultAndState, Self::Error> {
        self.0.transact(tx)
    }

    fn transact_system_call(
        &mut self,
        caller: Address,
        contract: Address,
        data: Bytes,
    ) -> Result<ResultAndState, Self::Error> {
        let call = TxEnv::new_system_tx_with_caller(caller, contract, data);
        self.0.ctx.set_tx(TxEnv { gas_limit: SYSTEM_CALL_GAS, ..call });
        let mut handler = MainnetHandler::<_, Self::Error, EthFrame>::default();
        let result = handler.run_system_call(&mut self.0)?;
        Ok(ResultAndState { result, state: self.0.ctx.journal_mut().finalize() })
    }

    fn finish(self) -> (DB, EvmEnv) {
        let Context { block: block_env, cfg: cfg_env, journaled_state, .. } = self.0.ctx;
        (journaled_state.database, EvmEnv { block_env, cfg_env })
    }

    fn set_inspector_enabled(&mut self, _: bool) {}

    fn components(&self) -> (&DB, &(), &PrecompilesMap) {
        (&self.0.ctx.journaled_state.database, &self.0.inspector, &self.0.precompiles)
    }

    fn components_mut(&mut self) -> (&mut DB, &mut (), &mut PrecompilesMap) {
        (&mut self.0.ctx.journaled_state.database, &mut self.0.inspector, &mut self.0.precompiles)
    }
}
