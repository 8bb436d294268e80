//! The names that tests give to rules.

use crate::outcome::Problem;
use alloy_eips::eip7840::BlobParams;
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork as Fork, ForkCondition};
use alloy_primitives::{Address, U256, address};
use serde::Deserialize;
use std::collections::BTreeMap;
use tandem_evm::ChainSpec;

/// Mainnet's deposit contract, which tests use, too.
const DEPOSIT_CONTRACT: Address = address!("00000000219ab540356cbb839cbe05303d7705fa");

/// All forks in their order, each with the names it goes by in tests.
const FORKS: &[(Fork, &[&str])] = &[
    (Fork::Frontier, &["Frontier"]),
    (Fork::Homestead, &["Homestead"]),
    (Fork::Dao, &["Dao"]),
    (Fork::Tangerine, &["EIP150", "TangerineWhistle"]),
    (Fork::SpuriousDragon, &["EIP158", "SpuriousDragon"]),
    (Fork::Byzantium, &["Byzantium"]),
    (Fork::Constantinople, &["Constantinople"]),
    (Fork::Petersburg, &["ConstantinopleFix", "Petersburg"]),
    (Fork::Istanbul, &["Istanbul"]),
    (Fork::MuirGlacier, &["MuirGlacier"]),
    (Fork::Berlin, &["Berlin"]),
    (Fork::London, &["London"]),
    (Fork::ArrowGlacier, &["ArrowGlacier"]),
    (Fork::GrayGlacier, &["GrayGlacier"]),
    (Fork::Paris, &["Paris", "Merge"]),
    (Fork::Shanghai, &["Shanghai"]),
    (Fork::Cancun, &["Cancun"]),
    (Fork::Prague, &["Prague"]),
    (Fork::Osaka, &["Osaka"]),
    (Fork::Bpo1, &["BPO1"]),
    (Fork::Bpo2, &["BPO2"]),
    (Fork::Bpo3, &["BPO3"]),
    (Fork::Bpo4, &["BPO4"]),
    (Fork::Bpo5, &["BPO5"]),
    (Fork::Amsterdam, &["Amsterdam"]),
    (Fork::Bogota, &["Bogota"]),
];

/// The first fork that is not supported.
const UNSUPPORTED_FROM: Fork = Fork::Amsterdam;

/// A test's statements about its chain, apart from the forks.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Config {
    #[serde(default)]
    chainid: Option<U256>,
    /// Parameters of blobs by the name of the fork that brings them.
    #[serde(default)]
    blob_schedule: BTreeMap<String, StatedBlobParams>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct StatedBlobParams {
    target: U256,
    max: U256,
    base_fee_update_fraction: U256,
}

/// The rules that a test means by a name: those of one fork (`Cancun`), or of the change from one to another at a block
/// number (`BerlinToLondonAt5`), a timestamp (`ParisToShanghaiAtTime15k`) or a total difficulty
/// (`ArrowGlacierToParisAtDiffC0000`).
///
/// # Errors
///
/// If the name is unknown or the test's parameters make no sense, the test fails; if one of the forks is not supported, it
/// must not be run.
pub(crate) fn chain(name: &str, config: &Config) -> Result<ChainSpec, Problem> {
    let unknown = || Problem::Failed(format!("network {name} is unknown"));
    let forks = match position(name) {
        Some(newest) => forks_until(newest),
        None => transition(name).ok_or_else(unknown)?,
    };
    if let Some((newest, _)) = forks.last().filter(|(newest, _)| *newest >= UNSUPPORTED_FROM) {
        return Err(Problem::Unsupported(newest.name()));
    }
    chain_of(&forks, config).ok_or_else(|| {
        Problem::Failed(format!("the test's chain id or parameters of blobs make no sense in network {name}"))
    })
}

/// The rules of these forks. `None` if the parameters make no sense.
fn chain_of(forks: &[(Fork, ForkCondition)], config: &Config) -> Option<ChainSpec> {
    let condition = |fork| forks.iter().find(|(other, _)| *other == fork).map(|(_, condition)| *condition);
    let schedule = blob_schedule(config, condition)?;
    let dao =
        condition(Fork::Dao).and_then(|condition| condition.block_number()).filter(|number| *number > 0);
    let chain_id = config.chainid.unwrap_or(U256::ONE).try_into().ok()?;
    let hardforks = EthereumChainHardforks::new(forks.iter().copied());
    let mut chain = ChainSpec::new(chain_id, hardforks, DEPOSIT_CONTRACT);
    if !schedule.is_empty() {
        chain = chain.with_blob_schedule(schedule);
    }
    if let Some(number) = dao {
        chain = chain.with_dao_fork(number, true);
    }
    if condition(Fork::Paris).is_some_and(|condition| condition.block_number() == Some(u64::MAX)) {
        chain = chain.with_merge_by(u64::MAX);
    }
    Some(chain)
}

fn position(name: &str) -> Option<usize> {
    FORKS.iter().position(|(_, names)| names.contains(&name))
}

/// The forks up to one, all from the start.
fn forks_until(newest: usize) -> Vec<(Fork, ForkCondition)> {
    FORKS[..=newest].iter().map(|(fork, _)| (*fork, active_from_start(*fork))).collect()
}

fn active_from_start(fork: Fork) -> ForkCondition {
    match fork {
        Fork::Paris => merge(0, U256::ZERO),
        // A DAO fork at the start has nothing to move.
        fork if fork >= Fork::Shanghai => ForkCondition::Timestamp(0),
        _ => ForkCondition::Block(0),
    }
}

fn merge(activation_block_number: u64, total_difficulty: U256) -> ForkCondition {
    ForkCondition::TTD { activation_block_number, fork_block: None, total_difficulty }
}

fn transition(name: &str) -> Option<Vec<(Fork, ForkCondition)>> {
    let (from, rest) = name.split_once("To")?;
    let (to, at) = rest.split_once("At")?;
    let (from, to) = (position(from)?, position(to)?);
    let condition = if let Some(difficulty) = at.strip_prefix("Diff") {
        merge(u64::MAX, U256::from_str_radix(difficulty, 16).ok()?)
    } else if let Some(time) = at.strip_prefix("Time") {
        let seconds = match time.strip_suffix('k') {
            Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1000)?,
            None => time.parse().ok()?,
        };
        ForkCondition::Timestamp(seconds)
    } else {
        ForkCondition::Block(at.parse().ok()?)
    };
    let mut forks = forks_until(from);
    let crossed = FORKS.get(from + 1..=to)?.iter().map(|(fork, _)| *fork);
    // The DAO fork is no part of any other. No fork but the merge begins at a total difficulty; the skipped ones delay the bomb.
    let at_merge = matches!(condition, ForkCondition::TTD { .. });
    let is_meant =
        |fork: &Fork| (*fork != Fork::Dao || to == from + 1) && (!at_merge || *fork == Fork::Paris);
    forks.extend(crossed.filter(is_meant).map(|fork| (fork, condition)));
    Some(forks)
}

/// When which parameters of blobs hold, as the test says; empty if it does not. `None` if they make no sense.
fn blob_schedule(
    config: &Config,
    condition: impl Fn(Fork) -> Option<ForkCondition>,
) -> Option<Vec<(u64, BlobParams)>> {
    let mut schedule = Vec::new();
    for (fork, names) in FORKS {
        let Some(stated) = names.iter().find_map(|name| config.blob_schedule.get(*name)) else { continue };
        let Some(from) = condition(*fork).and_then(|condition| condition.as_timestamp()) else { continue };
        let base = if *fork >= Fork::Osaka {
            BlobParams::osaka()
        } else if *fork == Fork::Prague {
            BlobParams::prague()
        } else {
            BlobParams::cancun()
        };
        let max_blob_count: u64 = stated.max.try_into().ok()?;
        let params = BlobParams {
            target_blob_count: stated.target.try_into().ok()?,
            max_blob_count,
            update_fraction: stated.base_fee_update_fraction.try_into().ok()?,
            max_blobs_per_tx: base.max_blobs_per_tx.min(max_blob_count),
            ..base
        };
        // Of several forks at once, the newest decides.
        schedule.retain(|(other, _)| *other != from);
        schedule.push((from, params));
    }
    Some(schedule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fork(name: &str, number: u64, timestamp: u64) -> Option<&'static str> {
        chain(name, &Config::default()).ok()?.fork(number, timestamp).ok()
    }

    #[test]
    fn a_fork_is_active_from_the_start() {
        for (name, expected) in [
            ("Frontier", "Frontier"),
            ("EIP150", "Tangerine"),
            ("EIP158", "SpuriousDragon"),
            ("ConstantinopleFix", "Petersburg"),
            ("London", "London"),
            ("Merge", "Paris"),
            ("Cancun", "Cancun"),
            ("Osaka", "Osaka"),
        ] {
            assert_eq!(fork(name, 0, 0), Some(expected));
        }
        assert_eq!(fork("Atlantis", 0, 0), None);
        assert_eq!(fork("LondonToAtlantisAt5", 0, 0), None);
        assert_eq!(fork("LondonToBerlinAt5", 0, 0), None);
    }

    /// Otherwise a fork that a new version of the dependency brings would pass for the one before it.
    #[test]
    fn each_fork_that_the_dependency_knows_has_a_name_or_is_refused_by_it() {
        let known: Vec<_> = FORKS.iter().map(|(fork, _)| *fork).collect();
        assert_eq!(known, Fork::VARIANTS);
        for (fork, names) in FORKS {
            for name in *names {
                let chain = chain(name, &Config::default());
                if *fork < UNSUPPORTED_FROM {
                    assert!(chain.is_ok(), "{name}");
                } else {
                    assert_eq!(chain.err(), Some(Problem::Unsupported(fork.name())));
                }
            }
        }
        let later = chain("BPO2ToAmsterdamAtTime15k", &Config::default());
        assert_eq!(later.err(), Some(Problem::Unsupported("Amsterdam")));
        assert!(matches!(chain("Atlantis", &Config::default()), Err(Problem::Failed(_))));
    }

    #[test]
    fn a_transition_happens_at_a_number_or_a_time() {
        assert_eq!(fork("BerlinToLondonAt5", 4, 99), Some("Berlin"));
        assert_eq!(fork("BerlinToLondonAt5", 5, 0), Some("London"));
        assert_eq!(fork("ByzantiumToConstantinopleFixAt5", 5, 0), Some("Petersburg"));
        assert_eq!(fork("ShanghaiToCancunAtTime15k", 9, 14_999), Some("Shanghai"));
        assert_eq!(fork("ShanghaiToCancunAtTime15k", 1, 15_000), Some("Cancun"));
        let merging = chain("ArrowGlacierToParisAtDiffC0000", &Config::default()).unwrap();
        assert_eq!(merging.terminal_total_difficulty(), Some(U256::from(0xc0000)));
        assert_eq!(merging.merge_block(), None);
        let dao = chain("HomesteadToDaoAt5", &Config::default()).unwrap();
        assert_eq!(dao.dao_fork(), Some((5, true)));
        let other = chain("HomesteadToEIP150At5", &Config::default()).unwrap();
        assert_eq!(other.dao_fork(), None);
    }

    #[test]
    fn a_test_may_state_its_parameters_of_blobs() {
        let config = serde_json::from_str::<Config>(
            r#"{"chainid": "0x05", "blobSchedule":
                {"Cancun": {"target": "0x03", "max": "0x04", "baseFeeUpdateFraction": "0x64"}}}"#,
        );
        let chain = chain("ShanghaiToCancunAtTime15k", &config.unwrap()).unwrap();
        assert_eq!(chain.chain_id(), 5);
        assert_eq!(chain.blob_params(14_999), None);
        let params = chain.blob_params(15_000).unwrap();
        assert_eq!((params.max_blob_count, params.max_blobs_per_tx, params.update_fraction), (4, 4, 100));
    }
}
