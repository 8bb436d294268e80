use crate::accounts::Signer;
use crate::config::ChainConfig;
use crate::error::WorkloadError;
use crate::workload::Workload;
use alloy_primitives::{Address, keccak256};
use rayon::prelude::*;
use std::ops::Range;

/// The accounts of a chain that are no contracts.
#[derive(Debug)]
pub(crate) struct World {
    /// They send, and hold every token.
    pub(crate) signers: Vec<Signer>,
    /// They only receive. They have no keys, which spares deriving them.
    pub(crate) population: Vec<Address>,
    /// How many balances of tokens the population holds.
    pub(crate) slots: usize,
    /// Number of tokens.
    pub(crate) tokens: usize,
    /// Whether each signer holds the tokens of some pairs alone, instead of every token.
    has_pairs: bool,
    /// Whether tokens are of several kinds.
    has_kinds: bool,
}

/// The kind of a token's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// An ERC-20 token.
    Plain,
    /// Ether as a token.
    Wrapper,
    /// An ERC-20 token behind a proxy.
    Proxied,
}

impl World {
    /// Derives all accounts, on the current rayon pool.
    pub(crate) fn new(config: &ChainConfig) -> Result<Self, WorkloadError> {
        Ok(Self {
            signers: Signer::derive_all(config.seed, config.accounts)?,
            population: (0..config.population)
                .into_par_iter()
                .map(|index| inhabitant(config.seed, index))
                .collect(),
            slots: config.slots,
            tokens: config.tokens(),
            has_pairs: config.workload == Workload::IndependentSwaps,
            has_kinds: config.workload == Workload::Mainnet,
        })
    }

    /// The kind of a token's contract.
    pub(crate) const fn token_kind(&self, token: usize) -> TokenKind {
        match token {
            0 if self.has_kinds => TokenKind::Wrapper,
            2 if self.has_kinds => TokenKind::Proxied,
            _ => TokenKind::Plain,
        }
    }

    /// Which signers hold a token.
    pub(crate) fn owners(&self, token: usize) -> Range<usize> {
        if self.has_pairs { self.traders(token / 2) } else { 0..self.signers.len() }
    }

    /// Which signers swap a pair of tokens: at least one, and of one pair alone if there are signers enough.
    pub(crate) fn traders(&self, pair: usize) -> Range<usize> {
        let (signers, pairs) = (self.signers.len(), self.tokens / 2);
        if signers < pairs {
            pair % signers..pair % signers + 1
        } else {
            let each = signers / pairs;
            pair * each..(pair + 1) * each
        }
    }

    /// Number of accounts that transactions pay.
    pub(crate) fn recipients(&self) -> usize {
        if self.population.is_empty() { self.signers.len() } else { self.population.len() }
    }

    /// One of these accounts: of the population, or of the signers where there is none.
    pub(crate) fn recipient(&self, index: usize) -> Address {
        match self.population.get(index) {
            Some(address) => *address,
            None => self.signers[index].address(),
        }
    }

    /// Number of pairs of a token and a recipient of it: those that hold something in genesis if there are any, else
    /// all.
    pub(crate) fn holdings(&self) -> usize {
        if self.slots > 0 { self.slots } else { self.tokens * self.recipients() }
    }

    /// One of these pairs: the token's index and the recipient's. Neighbours are of different tokens.
    pub(crate) fn holding(&self, index: usize) -> (usize, usize) {
        let token = index % self.tokens;
        (token, holder(token, self.tokens, index / self.tokens, self.recipients()))
    }

    /// Which of the population hold a token in genesis, by index.
    pub(crate) fn holders(&self, token: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        let (tokens, population) = (self.tokens, self.population.len());
        (0..(self.slots + tokens - 1 - token) / tokens)
            .map(move |number| holder(token, tokens, number, population))
    }
}

/// A token's holder with this number. Each token's begin at another place, so that together they cover the population.
const fn holder(token: usize, tokens: usize, number: usize, population: usize) -> usize {
    (token * population / tokens + number) % population
}

fn inhabitant(seed: u64, index: usize) -> Address {
    let mut preimage = b"tandem inhabitant ".to_vec();
    preimage.extend_from_slice(&seed.to_be_bytes());
    preimage.extend_from_slice(&(index as u64).to_be_bytes());
    Address::from_word(keccak256(preimage))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contracts::TOKENS;
    use std::collections::HashSet;

    fn world(population: usize, slots: usize) -> World {
        let config = ChainConfig::default().with_accounts(3).with_population(population).with_slots(slots);
        World::new(&config).unwrap()
    }

    #[test]
    fn holdings_are_what_the_holders_hold() {
        for slots in [1, 7, 8, 50, 80] {
            let world = world(10, slots);
            let by_holding: HashSet<_> = (0..world.holdings()).map(|index| world.holding(index)).collect();
            let by_holder: HashSet<_> = (0..TOKENS)
                .flat_map(|token| world.holders(token).map(move |holder| (token, holder)))
                .collect();
            assert_eq!(by_holding, by_holder);
            assert_eq!(by_holding.len(), slots);
        }
    }

    #[test]
    fn without_holders_anybody_receives_any_token() {
        let world = world(10, 0);
        let pairs: HashSet<_> = (0..world.holdings()).map(|index| world.holding(index)).collect();
        assert_eq!(pairs.len(), 10 * TOKENS);
    }

    #[test]
    fn without_a_population_signers_are_paid() {
        let world = world(0, 0);
        assert_eq!(world.recipients(), 3);
        assert_eq!(world.recipient(2), world.signers[2].address());
        assert!(world.holding(world.holdings() - 1).1 < 3);
    }

    #[test]
    fn the_population_is_the_seeds() {
        assert_eq!(world(10, 0).population, world(10, 3).population);
        let all: HashSet<_> = world(100, 0).population.into_iter().collect();
        assert_eq!(all.len(), 100);
        assert_ne!(inhabitant(1, 0), inhabitant(2, 0));
    }

    #[test]
    fn every_pair_has_traders_of_its_own() {
        for (accounts, transactions) in [(10, 3), (3, 10), (4, 4), (1, 1)] {
            let config = ChainConfig::default()
                .with_workload(Workload::IndependentSwaps)
                .with_accounts(accounts)
                .with_transactions(transactions);
            let world = World::new(&config).unwrap();
            assert_eq!(world.tokens, 2 * transactions);
            let traders: Vec<_> = (0..transactions).map(|pair| world.traders(pair)).collect();
            assert!(traders.iter().all(|traders| !traders.is_empty() && traders.end <= accounts));
            if accounts >= transactions {
                assert!(traders.windows(2).all(|pair| pair[0].end <= pair[1].start));
            }
            assert!((0..transactions).all(|pair| world.owners(2 * pair) == world.owners(2 * pair + 1)));
        }
    }
}
