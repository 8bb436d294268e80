use super::error::GenesisError;
use super::number::Number;
use alloy_eips::eip7594::MAX_BLOBS_PER_TX_FUSAKA;
use alloy_eips::eip7840::{BLOB_BASE_COST, BlobParams};
use alloy_hardforks::{EthereumChainHardforks, EthereumHardfork, ForkCondition};
use alloy_primitives::{Address, U256};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tandem_evm::ChainSpec;

/// Forks by block number, in their order.
const BLOCK_FORKS: &[(&str, EthereumHardfork)] = &[
    ("homesteadBlock", EthereumHardfork::Homestead),
    ("eip150Block", EthereumHardfork::Tangerine),
    ("eip158Block", EthereumHardfork::SpuriousDragon),
    ("byzantiumBlock", EthereumHardfork::Byzantium),
    ("constantinopleBlock", EthereumHardfork::Constantinople),
    ("petersburgBlock", EthereumHardfork::Petersburg),
    ("istanbulBlock", EthereumHardfork::Istanbul),
    ("muirGlacierBlock", EthereumHardfork::MuirGlacier),
    ("berlinBlock", EthereumHardfork::Berlin),
    ("londonBlock", EthereumHardfork::London),
    ("arrowGlacierBlock", EthereumHardfork::ArrowGlacier),
    ("grayGlacierBlock", EthereumHardfork::GrayGlacier),
];

/// Forks by time in seconds, in their order.
const TIME_FORKS: &[(&str, EthereumHardfork)] = &[
    ("shanghaiTime", EthereumHardfork::Shanghai),
    ("cancunTime", EthereumHardfork::Cancun),
    ("pragueTime", EthereumHardfork::Prague),
    ("osakaTime", EthereumHardfork::Osaka),
    ("bpo1Time", EthereumHardfork::Bpo1),
    ("bpo2Time", EthereumHardfork::Bpo2),
    ("bpo3Time", EthereumHardfork::Bpo3),
    ("bpo4Time", EthereumHardfork::Bpo4),
    ("bpo5Time", EthereumHardfork::Bpo5),
    ("amsterdamTime", EthereumHardfork::Amsterdam),
    ("bogotaTime", EthereumHardfork::Bogota),
];

/// Forks that a chain may leave out and still have later ones.
const OPTIONAL: &[EthereumHardfork] = &[
    EthereumHardfork::MuirGlacier,
    EthereumHardfork::ArrowGlacier,
    EthereumHardfork::GrayGlacier,
    EthereumHardfork::Bpo1,
    EthereumHardfork::Bpo2,
    EthereumHardfork::Bpo3,
    EthereumHardfork::Bpo4,
    EthereumHardfork::Bpo5,
];

/// Numbers that look like a fork's block, but are handled by themselves.
const OTHER_BLOCKS: &[&str] = &["daoForkBlock", "eip155Block", "mergeNetsplitBlock"];

/// The sealer of blocks other than proof of work and proof of stake.
const AUTHORITIES: &[&str] = &["clique", "parlia"];

/// The object `config`.
pub(super) struct Config<'a> {
    fields: BTreeMap<&'a str, &'a RawValue>,
}

/// An entry of the blob schedule (EIP-7840).
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blobs {
    target: Number,
    max: Number,
    base_fee_update_fraction: Number,
}

impl<'a> Config<'a> {
    pub(super) fn parse(config: &'a RawValue) -> Result<Self, GenesisError> {
        let mut fields: BTreeMap<&str, &RawValue> = serde_json::from_str(config.get())
            .map_err(|error| GenesisError::field("config", error.to_string()))?;
        fields.retain(|_, value| value.get() != "null");
        Ok(Self { fields })
    }

    /// The chain's rules. `difficulty` is the genesis block's.
    pub(super) fn into_chain(self, difficulty: U256) -> Result<ChainSpec, GenesisError> {
        self.refuse_unknown_forks()?;
        let mut forks = vec![(EthereumHardfork::Frontier, ForkCondition::Block(0))];
        forks.extend(self.block_forks()?);
        let times = self.time_forks()?;
        forks.extend(times.iter().map(|(fork, time)| (*fork, ForkCondition::Timestamp(*time))));
        let total = self.number("terminalTotalDifficulty")?;
        let netsplit = self.u64("mergeNetsplitBlock")?;
        let has_passed = self.get("terminalTotalDifficultyPassed")?.unwrap_or(false);
        let total = total.or(has_passed.then_some(U256::ZERO));
        let is_merged = total.is_some_and(|total| total <= difficulty);
        if let Some(total_difficulty) = total {
            let activation_block_number = if is_merged { 0 } else { netsplit.unwrap_or(u64::MAX) };
            let paris =
                ForkCondition::TTD { activation_block_number, fork_block: netsplit, total_difficulty };
            forks.push((EthereumHardfork::Paris, paris));
        } else if let Some(number) = netsplit {
            forks.push((EthereumHardfork::Paris, ForkCondition::Block(number)));
        } else if !times.is_empty() {
            return Err(wrong(
                "terminalTotalDifficulty",
                "it is missing, but forks after the merge are there",
            ));
        }
        if let Some(name) = AUTHORITIES.iter().find(|name| self.fields.contains_key(**name) && !is_merged) {
            return Err(wrong(name, "chains of proof of authority are not supported"));
        }
        let deposits: Option<Address> = self.get("depositContractAddress")?;
        let chain_id = self.u64("chainId")?.ok_or_else(|| wrong("chainId", "it is missing"))?;
        let mut chain =
            ChainSpec::new(chain_id, EthereumChainHardforks::new(forks), deposits.unwrap_or_default())
                .with_blob_schedule(self.blob_schedule(&times)?);
        if let Some(number) = self.u64("daoForkBlock")? {
            chain = chain.with_dao_fork(number, self.get("daoForkSupport")?.unwrap_or(false));
        }
        Ok(match total {
            Some(_) if !is_merged => chain.with_merge_by(netsplit.unwrap_or(u64::MAX)),
            _ => chain,
        })
    }

    fn block_forks(&self) -> Result<Vec<(EthereumHardfork, ForkCondition)>, GenesisError> {
        let (eip155, eip158) = (self.u64("eip155Block")?, self.u64("eip158Block")?);
        if eip155.is_some() && eip155 != eip158 {
            return Err(wrong("eip155Block", "it differs from eip158Block, which is not supported"));
        }
        let mut blocks = Vec::new();
        for (name, fork) in BLOCK_FORKS {
            let number = match fork {
                // A genesis that has Constantinople and says nothing of Petersburg has both at once.
                EthereumHardfork::Petersburg => self
                    .u64(name)?
                    .map_or_else(|| self.u64("constantinopleBlock"), |block| Ok(Some(block)))?,
                _ => self.u64(name)?,
            };
            blocks.push((*name, *fork, number));
        }
        check_order(&blocks)?;
        let forks = blocks.into_iter();
        Ok(forks.filter_map(|(_, fork, block)| Some((fork, ForkCondition::Block(block?)))).collect())
    }

    fn time_forks(&self) -> Result<Vec<(EthereumHardfork, u64)>, GenesisError> {
        let mut times = Vec::new();
        for (name, fork) in TIME_FORKS {
            times.push((*name, *fork, self.u64(name)?));
        }
        check_order(&times)?;
        let first = times.iter().find(|(_, _, time)| time.is_some());
        if let (Some((name, ..)), None) = (first, self.u64("londonBlock")?) {
            return Err(wrong("londonBlock", format!("it is missing, but {name} is there")));
        }
        Ok(times.into_iter().filter_map(|(_, fork, time)| Some((fork, time?))).collect())
    }

    fn blob_schedule(
        &self,
        times: &[(EthereumHardfork, u64)],
    ) -> Result<Vec<(u64, BlobParams)>, GenesisError> {
        let entries: BTreeMap<String, Blobs> = self.get("blobSchedule")?.unwrap_or_default();
        let mut schedule: Vec<(u64, BlobParams)> = Vec::new();
        for (fork, time) in times {
            let name = fork.name().to_lowercase();
            let default = match fork {
                EthereumHardfork::Cancun => Some(BlobParams::cancun()),
                EthereumHardfork::Prague => Some(BlobParams::prague()),
                // EIP-7594 changes nothing of this.
                EthereumHardfork::Osaka => schedule.last().map(|(_, params)| *params),
                EthereumHardfork::Bpo1
                | EthereumHardfork::Bpo2
                | EthereumHardfork::Bpo3
                | EthereumHardfork::Bpo4
                | EthereumHardfork::Bpo5 => None,
                _ => continue,
            };
            let params = match (entries.get(&name), default) {
                (Some(entry), _) => entry.params(&format!("blobSchedule.{name}"))?,
                (None, Some(default)) => default,
                (None, None) => return Err(wrong(&format!("blobSchedule.{name}"), "it is missing")),
            };
            let is_since_osaka =
                times.iter().any(|(other, osaka)| *other == EthereumHardfork::Osaka && osaka <= time);
            schedule.push((*time, if is_since_osaka { since_osaka(params) } else { params }));
        }
        Ok(schedule)
    }

    /// A fork that is not known here would change rules unnoticed.
    fn refuse_unknown_forks(&self) -> Result<(), GenesisError> {
        let is_known = |name: &str| {
            let mut forks = BLOCK_FORKS.iter().chain(TIME_FORKS);
            forks.any(|(known, _)| *known == name) || OTHER_BLOCKS.contains(&name)
        };
        let unknown = self
            .fields
            .keys()
            .find(|name| (name.ends_with("Block") || name.ends_with("Time")) && !is_known(name));
        let Some(name) = unknown else { return Ok(()) };
        // A fork may be given at the other kind of point.
        let (fork, other) = match name.strip_suffix("Block") {
            Some(fork) => (fork, "Time"),
            None => (name.trim_end_matches("Time"), "Block"),
        };
        let meant = format!("{fork}{other}");
        Err(wrong(
            name,
            if is_known(&meant) {
                format!("this fork begins at config.{meant}")
            } else {
                "this fork is not known".to_owned()
            },
        ))
    }

    fn get<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, GenesisError> {
        let parse = |value: &&'a RawValue| serde_json::from_str(value.get());
        self.fields.get(name).map(parse).transpose().map_err(|error| wrong(name, error.to_string()))
    }

    fn number(&self, name: &str) -> Result<Option<U256>, GenesisError> {
        Ok(self.get::<Number>(name)?.map(|number| number.0))
    }

    fn u64(&self, name: &str) -> Result<Option<u64>, GenesisError> {
        self.number(name)?.map(|number| to_u64(name, number)).transpose()
    }
}

impl Blobs {
    fn params(&self, name: &str) -> Result<BlobParams, GenesisError> {
        let target = to_u64(name, self.target.0)?;
        let max = to_u64(name, self.max.0)?;
        let fraction = to_u64(name, self.base_fee_update_fraction.0)?;
        if fraction == 0 {
            return Err(wrong(name, "baseFeeUpdateFraction is 0"));
        }
        if max == 0 || max > u64::from(u32::MAX) || target > max {
            return Err(wrong(name, format!("{target} and {max} are no target and maximum of blobs")));
        }
        Ok(BlobParams {
            target_blob_count: target,
            max_blob_count: max,
            update_fraction: u128::from(fraction),
            max_blobs_per_tx: max,
            ..BlobParams::cancun()
        })
    }
}

/// From Osaka on, a transaction has fewer blobs (EIP-7594), and blobs a reserve price (EIP-7918).
fn since_osaka(params: BlobParams) -> BlobParams {
    params.with_max_blobs_per_tx(MAX_BLOBS_PER_TX_FUSAKA).with_blob_base_cost(BLOB_BASE_COST)
}

/// Later forks must not come before earlier ones, nor without them.
fn check_order(forks: &[(&str, EthereumHardfork, Option<u64>)]) -> Result<(), GenesisError> {
    let mut last: Option<(&str, Option<u64>)> = None;
    for (name, fork, begin) in forks {
        if let (Some((earlier, before)), Some(begin)) = (last, begin) {
            match before {
                None => return Err(wrong(earlier, format!("it is missing, but {name} is there"))),
                Some(before) if before > *begin => {
                    return Err(wrong(name, format!("{begin} is before {earlier}, {before}")));
                }
                Some(_) => {}
            }
        }
        if begin.is_some() || !OPTIONAL.contains(fork) {
            last = Some((name, *begin));
        }
    }
    Ok(())
}

fn to_u64(name: &str, number: U256) -> Result<u64, GenesisError> {
    number.try_into().map_err(|_| wrong(name, format!("{number} has more than 64 bits")))
}

fn wrong(name: &str, reason: impl Into<String>) -> GenesisError {
    GenesisError::field(format!("config.{name}"), reason)
}
