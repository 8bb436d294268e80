/// Why a chain was not generated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WorkloadError {
    /// A number in the configuration is smaller or larger than a generated chain can have it.
    #[error("{field} must be between {min} and {max}, not {value}")]
    OutOfRange {
        /// The field of [`ChainConfig`](crate::ChainConfig).
        field: &'static str,
        /// Its value.
        value: usize,
        /// The smallest value that it takes.
        min: usize,
        /// The largest value that it takes.
        max: usize,
    },
    /// The share of transactions at the hot spot is no share.
    #[error("hot must be between 0 and 1, not {0}")]
    Hot(f64),
    /// A contract built into this crate is not as the generator needs it.
    #[error("the artifact of the contract {contract} cannot be used: {reason}")]
    Artifact {
        /// The contract's name.
        contract: &'static str,
        /// Its fault.
        reason: String,
    },
    /// The bytes derived as a private key are none. About one seed in 2^128 has such an account.
    #[error("no private key can be derived for account {account} with this seed")]
    Key {
        /// The account's index.
        account: usize,
    },
}
