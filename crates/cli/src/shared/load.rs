use super::failure::Failure;
use super::input::{Input, InputBlock, PreState};
use super::output::complain;
use super::progress::progress;
use super::proof::Proof;
use super::rules::Rules;
use alloy_consensus::{Header, Transaction, TxEnvelope};
use alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS;
use alloy_primitives::{Address, KECCAK256_EMPTY, keccak256};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_chain::missing_field;
use tandem_evm::{ChainSpec, SignedBlock};
use tandem_state::fixture::{self, Fixture, Loader};
use tandem_state::{Account, MemoryStore, Store};

/// The contracts that every block calls that has requests (EIP-7002, EIP-7251).
const SYSTEM_CONTRACTS: &[Address] =
    &[WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS];

/// A block directory as input, apart from its state.
pub(crate) fn signed(
    directory: &Path,
    fixture: &mut Fixture,
    chain: Arc<ChainSpec>,
) -> Result<SignedBlock, Failure> {
    let header = fixture.header.clone();
    let bad = |what: String| Failure::Input(format!("{}: block.json.gz: {what}", directory.display()));
    let fork = chain.fork(header.number, header.timestamp).map_err(|error| bad(error.to_string()))?;
    if let Some(field) = missing_field(&chain, &header) {
        return Err(bad(format!("field {field} is absent, which fork {fork} demands")));
    }
    let ommers = if fixture.lacks_ommers() { None } else { fixture.ommers.take() };
    Ok(SignedBlock {
        chain,
        header,
        transactions: std::mem::take(&mut fixture.transactions),
        ommers: ommers.unwrap_or_default(),
        withdrawals: fixture.withdrawals.take().unwrap_or_default(),
    })
}

/// Applies the rules of a pre-state to the state before the block: from EIP-161 on, no empty account is there but those of which the
/// witness proves it.
fn settle(
    state: &mut MemoryStore,
    chain: Arc<ChainSpec>,
    header: &Header,
    proof: Option<&Proof>,
) -> Arc<ChainSpec> {
    // A recorder lists the slots that were read. That there are others, the genesis tells.
    let is_bare = |account: Account| account.nonce == 0 && account.code_hash == KECCAK256_EMPTY;
    let listed =
        |address: &Address| state.account(*address).is_ok_and(|account| account.is_some_and(is_bare));
    let from_genesis: Vec<_> = chain.occupied_addresses().filter(listed).collect();
    if chain.clears_empty_accounts(header.number, header.timestamp) {
        let shown = |address| proof.is_some_and(|proof| proof.shows(address));
        state.remove_empty_accounts(|address| from_genesis.contains(&address) || shown(address));
    }
    let occupied: Vec<_> = state.occupied().collect();
    if occupied.is_empty() && from_genesis.is_empty() {
        return chain;
    }
    let hashes = from_genesis.into_iter().map(keccak256);
    Arc::new(ChainSpec::clone(&chain).with_occupied_addresses(occupied).with_occupied_hashes(hashes))
}

/// Reads all blocks below `paths`; with `prove` the proofs of their states, too.
pub(crate) fn load(paths: &[PathBuf], prove: bool, quiet: bool) -> Result<Input, Failure> {
    let directories = fixture::discover(paths).map_err(Failure::input)?;
    let progress = progress(directories.len(), "loading", quiet);
    let mut loader = Loader::new();
    let mut rules = Rules::default();
    let mut input = Input::default();
    for directory in &directories {
        let mut fixture = loader.load(directory).map_err(Failure::input)?;
        let chain = rules.of(directory, fixture.chain_id)?;
        for field in fixture.inconsistencies() {
            complain!("warning: {}: {field} in block.json.gz does not fit the block", directory.display());
        }
        // Whether listed empty accounts exist must not depend on what is checked.
        let is_open = || fixture.state.accounts().any(|(_, account)| *account == Account::default());
        let proof = if prove || is_open() { Proof::load(&fixture)? } else { None };
        let chain = settle(&mut fixture.state, chain, &fixture.header, proof.as_ref());
        let lacks_ommers = fixture.lacks_ommers();
        let chain = match &proof {
            Some(proof) => proof.tell_occupied(chain).map_err(|error| unusable(directory, &error))?,
            None => chain,
        };
        let signed = signed(directory, &mut fixture, chain)?;
        input.blocks.push(InputBlock {
            name: fixture.name,
            signed,
            expected_senders: fixture.expected_senders,
            world: input.worlds.len(),
            proof: proof.filter(|_| prove),
            pre_state: PreState { listed: Some(fixture.listed), lacks_ommers },
        });
        input.worlds.push(fixture.state);
        progress.inc(1);
    }
    progress.finish_and_clear();
    Ok(input)
}

/// Reads all blocks below `paths`, and fails at a block that lacks something that it certainly reads.
pub(crate) fn load_executable(paths: &[PathBuf], quiet: bool) -> Result<Input, Failure> {
    let input = load(paths, false, quiet)?;
    for InputBlock { name, signed, expected_senders, pre_state, .. } in &input.blocks {
        let header = &signed.header;
        let Some(listed) = &pre_state.listed else { continue };
        if !signed.chain.clears_empty_accounts(header.number, header.timestamp) {
            continue;
        }
        let system = if header.requests_hash.is_some() { SYSTEM_CONTRACTS } else { &[] };
        // An account that pays nothing need not exist.
        let pays =
            |transaction: &TxEnvelope| transaction.max_fee_per_gas() > 0 || !transaction.value().is_zero();
        let senders = expected_senders.iter().zip(&signed.transactions);
        let read = senders.filter(|(_, transaction)| pays(transaction)).map(|(sender, _)| sender);
        let missing = read.chain(system).copied().find(|address| !listed.contains(address));
        if let Some(missing) = missing {
            return Err(Failure::Input(format!(
                "{name}: the pre-state does not list {missing}, which the block reads"
            )));
        }
    }
    Ok(input)
}

/// A witness that cannot be used.
pub(crate) fn unusable(directory: &Path, error: &impl Display) -> Failure {
    Failure::Input(format!("{}: witness.json.gz: {error}", directory.display()))
}
