//! What random cases consist of, counted, so that they cannot become weak without anybody noticing.

/// Declares what is counted.
macro_rules! shapes {
    ($($name:ident: $text:literal,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Shape { $($name,)* }

        impl Shape {
            pub(crate) const ALL: &[(Self, &str)] = &[$((Self::$name, $text),)*];
        }
    };
}

shapes! {
    Legacy: "transactions of type 0",
    Type1: "transactions of type 1",
    Type2: "transactions of type 2",
    Blobs: "transactions with blobs",
    Type4: "transactions with authorizations",
    AccessLists: "transactions with an access list",
    Reverted: "transactions that revert",
    OutOfGas: "transactions that run out of gas",
    Halted: "transactions that halt otherwise",
    Deployments: "transactions that create a contract",
    SentByBeneficiary: "transactions sent by the beneficiary",
    SentToBeneficiary: "transactions sent to the beneficiary",
    SentByDelegated: "transactions sent by a delegated account",
    SentToDelegated: "transactions sent to a delegated account",
    Poor: "senders left with less than 1,000 wei",
    Penniless: "senders left with nothing",
    DelegationsSet: "delegations set",
    DelegationsChanged: "delegations changed",
    DelegationsCleared: "delegations cleared",
    AuthorizedAfterTransfer: "authorities that did not exist and were sent nothing before",
    AuthorizedAfterCall: "authorities that did not exist and were called before",
    AuthorizedAfterTip: "authorities that did not exist and got tips of zero before",
    AuthorizedAfterSelfdestruct: "authorities that did not exist and inherited nothing before",
    Created: "contracts created",
    CreatedAgain: "contracts created where one was destroyed",
    Collisions: "creations where a contract is in the way",
    CreatedAndDestroyed: "contracts created and destroyed in one transaction",
    CreatedThenDestroyed: "contracts created by one transaction and destroyed by a later one of the block",
    Destroyed: "contracts destroyed",
    Wiped: "contracts destroyed with storage",
    SweptToBeneficiary: "self-destructs in favour of the beneficiary",
    SweptToSelf: "self-destructs in favour of the destroyed",
    Emptied: "empty accounts removed",
    Refilled: "accounts that lost all they had, and were paid later in the block",
    CallsReverted: "calls that revert",
    CallsOutOfGas: "calls that run out of gas",
    SentToPrecompile: "transactions sent to precompiles",
    Precompiles: "calls of precompiles that succeed",
    PrecompilesFail: "calls of precompiles that fail",
    BeneficiaryShown: "BALANCE of the beneficiary",
    BalanceShown: "BALANCE and SELFBALANCE",
    HashShown: "EXTCODEHASH",
    BlockHash: "BLOCKHASH",
    Transient: "TLOAD and TSTORE",
    Writes: "SSTORE",
    Delegatecalls: "CALLCODE and DELEGATECALL",
    Withdrawals: "withdrawals",
    Ommers: "ommers",
    Requests: "requests of system contracts",
    Deposits: "blocks with deposits",
    SystemDeployed: "system contracts deployed by a block that calls them",
    ForkChanges: "streams across a fork",
    Quiet: "cases without a change that matters",
    InvalidNonce: "blocks with a nonce too high or too low",
    InvalidFunds: "blocks with a sender who cannot pay",
    InvalidOther: "blocks with a transaction invalid otherwise",
    Crowded: "blocks over their gas limit",
    InvalidDeposit: "blocks with a deposit of another layout",
    InvalidSystem: "blocks with a system contract that is not there or fails",
    // What the engine went through.
    Conflicts: "conflicts",
    Reexecutions: "re-executions",
    EarlyReexecutions: "re-executions before the turn",
    Moved: "results kept though a balance moved",
    Repairs: "repairs",
    Blocked: "speculative executions that failed",
    Joined: "executions in one run with the transaction before",
    JoinedAhead: "those of them ahead of their turn",
    RunsOf16: "runs of 16 steps and more",
    RunsOf64: "runs of 64 steps",
    Waits: "waits for a writer",
}

#[derive(Clone, Debug)]
pub(crate) struct Counts(Vec<u64>);

impl Default for Counts {
    fn default() -> Self {
        Self(vec![0; Shape::ALL.len()])
    }
}

impl Counts {
    pub(crate) fn add(&mut self, shape: Shape, count: u64) {
        self.0[shape as usize] += count;
    }

    pub(crate) fn note(&mut self, shape: Shape, happened: bool) {
        self.add(shape, u64::from(happened));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, count)| *sum += count);
    }

    /// Names of what never occurred.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let missing = Shape::ALL.iter().filter(|(shape, _)| self.0[*shape as usize] == 0);
        missing.map(|(_, name)| *name).collect()
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Shape::ALL.iter().try_for_each(|(shape, name)| writeln!(f, "{:>10}  {name}", self.0[*shape as usize]))
    }
}
