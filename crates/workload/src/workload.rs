use std::{fmt, str::FromStr};

/// The kind of a chain's transactions.
///
/// Each workload has a *hot spot*, at which a share of its transactions meet
/// ([`ChainConfig::hot`](crate::ChainConfig::hot)); the others stay out of each other's way as far as the workload
/// allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Workload {
    /// Transfers of ether between accounts of their own. Hot spot: one recipient, of no transaction by default.
    Transfers,
    /// Transfers of ether to one recipient. Hot spot: this recipient, of all transactions by default.
    OneHot,
    /// Transfers of ether and of tokens by random accounts, whose recipients follow Zipf's law. Hot spot: the recipient
    /// that is most frequent anyway, of no further transaction by default.
    Zipf,
    /// Transfers of tokens between accounts of their own. Hot spot: one holder of one token, of no transaction by
    /// default.
    Token,
    /// Swaps of two tokens. Hot spot: one exchange of several, of all transactions by default.
    Swaps,
    /// Swaps of two tokens, every swap of a block at an exchange of its own, by an account of its own if there are enough.
    /// Hot spot: one exchange, of no transaction by default.
    IndependentSwaps,
    /// Non-fungible tokens are minted, each numbered by its collection's counter. Hot spot: one collection of several,
    /// of all transactions by default.
    Nft,
    /// Payments of a token to many recipients in one transaction. Hot spot: one sender, of no transaction by default.
    Airdrop,
    /// Transfers of ether from one sender. Hot spot: this sender, of all transactions by default.
    Payroll,
    /// Accounts and slots that nothing touched before are read or called, 50 by each transaction, as in an attack. Hot spot: 50 accounts
    /// and 50 slots, of no transaction by default.
    FirstTouch,
    /// A mix of all contracts whose shape is that of blocks on mainnet, at [`Workload::transactions`] a block. Hot spot:
    /// one exchange, of one swap in ten by default.
    Mainnet,
    /// Of a block's transactions 45 % transfer ether, 35 % transfer a token and 20 % swap two tokens, by random
    /// accounts and in random order; one recipient in ten is fresh. Hot spots and defaults: those of `transfers`,
    /// `token` and `swaps`.
    #[default]
    Mixed,
}

impl Workload {
    /// All workloads.
    pub const ALL: [Self; 12] = [
        Self::Transfers,
        Self::OneHot,
        Self::Zipf,
        Self::Token,
        Self::Swaps,
        Self::IndependentSwaps,
        Self::Nft,
        Self::Airdrop,
        Self::Payroll,
        Self::FirstTouch,
        Self::Mainnet,
        Self::Mixed,
    ];

    /// How many transactions a block has unless told: for [`Workload::Mainnet`] as many as blocks on mainnet.
    pub const fn transactions(self) -> usize {
        match self {
            Self::Mainnet => 84,
            _ => 200,
        }
    }

    /// The name that [`FromStr`] takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transfers => "transfers",
            Self::OneHot => "one-hot",
            Self::Zipf => "zipf",
            Self::Token => "token",
            Self::Swaps => "swaps",
            Self::IndependentSwaps => "independent-swaps",
            Self::Nft => "nft",
            Self::Airdrop => "airdrop",
            Self::Payroll => "payroll",
            Self::FirstTouch => "first-touch",
            Self::Mainnet => "mainnet",
            Self::Mixed => "mixed",
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no workload of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no workload {0}; known are {known}", known = Workload::ALL.map(Workload::name).join(", "))]
pub struct UnknownWorkload(
    /// The name.
    pub String,
);

impl FromStr for Workload {
    type Err = UnknownWorkload;

    fn from_str(name: &str) -> Result<Self, UnknownWorkload> {
        Self::ALL
            .into_iter()
            .find(|workload| workload.name() == name)
            .ok_or_else(|| UnknownWorkload(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_is_found_by_its_name() {
        for workload in Workload::ALL {
            assert_eq!(workload.to_string().parse(), Ok(workload));
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let message = "mainnet2".parse::<Workload>().unwrap_err().to_string();
        assert!(message.contains("mainnet2") && message.contains("transfers, one-hot, zipf"), "{message}");
    }
}
