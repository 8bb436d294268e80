/// The steps of a [`revm::handler::Handler`] that a wrapper leaves to the handler in its field `inner`.
macro_rules! forward_to_inner {
    () => {
        fn validate_env(&self, evm: &mut Self::Evm) -> Result<(), Self::Error> {
            self.inner.validate_env(evm)
        }

        fn validate_initial_tx_gas(
            &self,
            evm: &mut Self::Evm,
        ) -> Result<revm::interpreter::InitialAndFloorGas, Self::Error> {
            self.inner.validate_initial_tx_gas(evm)
        }

        fn tx_gas(
            &self,
            evm: &mut Self::Evm,
            gas: &revm::interpreter::InitialAndFloorGas,
        ) -> revm::interpreter::GasTracker {
            self.inner.tx_gas(evm, gas)
        }

        fn load_accounts(&self, evm: &mut Self::Evm) -> Result<(), Self::Error> {
            self.inner.load_accounts(evm)
        }

        fn first_frame_input(
            &mut self,
            evm: &mut Self::Evm,
            gas: &mut revm::interpreter::GasTracker,
        ) -> Result<Option<revm::interpreter::interpreter_action::FrameInit>, Self::Error> {
            self.inner.first_frame_input(evm, gas)
        }

        fn last_frame_result(
            &mut self,
            evm: &mut Self::Evm,
            result: &mut revm::handler::FrameResult,
            gas: &mut revm::interpreter::GasTracker,
        ) -> Result<(), Self::Error> {
            self.inner.last_frame_result(evm, result, gas)
        }

        fn runtime_oog_result(
            &mut self,
            evm: &mut Self::Evm,
            initial: &revm::interpreter::InitialAndFloorGas,
            gas: &mut revm::interpreter::GasTracker,
        ) -> Result<revm::handler::FrameResult, Self::Error> {
            self.inner.runtime_oog_result(evm, initial, gas)
        }

        fn eip7623_check_gas_floor(
            &self,
            evm: &mut Self::Evm,
            result: &mut revm::handler::FrameResult,
            gas: revm::interpreter::InitialAndFloorGas,
        ) {
            self.inner.eip7623_check_gas_floor(evm, result, gas);
        }

        fn refund(
            &self,
            evm: &mut Self::Evm,
            result: &mut revm::handler::FrameResult,
            eip7702_refund: i64,
        ) -> Result<(), Self::Error> {
            self.inner.refund(evm, result, eip7702_refund)
        }

        fn reimburse_caller(
            &self,
            evm: &mut Self::Evm,
            result: &mut revm::handler::FrameResult,
        ) -> Result<(), Self::Error> {
            self.inner.reimburse_caller(evm, result)
        }

        fn catch_error(
            &self,
            evm: &mut Self::Evm,
            error: Self::Error,
        ) -> Result<revm::context::result::ExecutionResult<Self::HaltReason>, Self::Error> {
            self.inner.catch_error(evm, error)
        }
    };
}

pub(crate) use forward_to_inner;
