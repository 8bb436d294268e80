use crate::shared::executed::Output;
use crate::shared::proof::Proof;
use alloy_primitives::{Address, B256};
use serde::Serialize;
use tandem_evm::{logs_bloom, receipts_root, receipts_root_before_byzantium};
use tandem_state::fixture::PreStateFault;
use tandem_state::trie::TrieError;

/// Faults of one pre-state that are named; more say nothing more.
const SHOWN_FAULTS: usize = 3;

/// The verdict of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) enum Verdict {
    #[serde(rename = "ok")]
    Ok,
    #[serde(rename = "fail")]
    Fail,
    /// The witness does not prove it.
    #[serde(rename = "unproven")]
    Unproven,
    /// Not checked: the header says nothing of it, it was not asked for, or it cannot be told.
    #[default]
    #[serde(rename = "n/a")]
    NotApplicable,
}

impl Verdict {
    /// The verdict where its evidence is not proven.
    fn without_proof(self) -> Self {
        if self == Self::Ok { Self::Unproven } else { self }
    }
}

/// The checks of one block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Checks {
    pub(crate) senders: Verdict,
    pub(crate) gas: Verdict,
    pub(crate) bloom: Verdict,
    pub(crate) receipts_root: Verdict,
    pub(crate) requests_hash: Verdict,
    pub(crate) parent_root: Verdict,
    pub(crate) state_root: Verdict,
    /// `None` unless alloy-evm was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) alloy: Option<Verdict>,
    /// One line per failed check.
    #[serde(skip)]
    pub(crate) differences: Vec<String>,
    /// One line per check that was asked for and cannot be told, for want of evidence.
    #[serde(skip)]
    pub(crate) missing: Vec<String>,
    /// One line per check that there is no way to tell.
    #[serde(skip)]
    pub(crate) notes: Vec<String>,
}

/// The evidence for the checks of a block, apart from its header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    /// The senders as the source states them.
    pub(crate) senders: &'a [Address],
    pub(crate) proof: Option<&'a Proof>,
    /// Whether rewards are unknown for want of the ommers' headers.
    pub(crate) lacks_ommers: bool,
    /// Whether roots are computed that the witness does not prove.
    pub(crate) unproven: bool,
    /// Whether nothing may be left unchecked.
    pub(crate) must_prove: bool,
}

impl Checks {
    pub(crate) fn new(output: &Output, evidence: Evidence<'_>) -> Self {
        let mut checks = Self::default();
        let header = output.block.header();
        let wrong_sender = output
            .block
            .senders()
            .zip(evidence.senders)
            .enumerate()
            .find(|(_, (recovered, stated))| recovered != *stated);
        checks.senders = match wrong_sender {
            None => Verdict::Ok,
            Some((index, (recovered, stated))) => {
                checks.differences.push(format!(
                    "transaction {index}: its signature recovers to {recovered}, but its sender is given as {stated}"
                ));
                Verdict::Fail
            }
        };
        checks.gas = checks.compare("gas used", &output.gas_used, &header.gas_used);
        // The filters are long: their difference says nothing to a person.
        checks.bloom = if logs_bloom(&output.receipts) == header.logs_bloom {
            Verdict::Ok
        } else {
            checks.differences.push("the logs bloom is not the header's".to_owned());
            Verdict::Fail
        };
        if !output.block.receipts_hold_roots() {
            checks.receipts_root =
                checks.compare("the receipts root", &receipts_root(&output.receipts), &header.receipts_root);
        }
        if let (Some(hash), Some(expected)) = (output.requests_hash(), header.requests_hash) {
            checks.requests_hash = checks.compare("the requests hash", &hash, &expected);
        }
        if let Some(proof) = evidence.proof {
            checks.check_state(output, proof, evidence);
        }
        if evidence.lacks_ommers {
            let lines = if evidence.must_prove { &mut checks.missing } else { &mut checks.notes };
            lines.push(
                "the headers of its ommers are missing in block.json.gz, so that rewards, and with them the state \
                 root, are unchecked"
                    .to_owned(),
            );
        }
        checks
    }

    /// Checks the states before and after, and receipts that hold roots.
    fn check_state(&mut self, output: &Output, proof: &Proof, evidence: Evidence<'_>) {
        let header = output.block.header();
        let (unproven, wrong): (Vec<_>, Vec<_>) = proof.faults.iter().partition(|fault| fault.is_unproven());
        self.parent_root = match (unproven.is_empty(), wrong.is_empty()) {
            (true, true) => Verdict::Ok,
            (_, false) => Verdict::Fail,
            (false, true) => Verdict::Unproven,
        };
        let line = |fault: &&PreStateFault| format!("the state before the block: {fault}");
        self.differences.extend(wrong.iter().take(SHOWN_FAULTS).map(line));
        self.missing.extend(unproven.iter().take(SHOWN_FAULTS).map(line));
        let known_in_parts = !output.parts.is_empty();
        let whole = std::slice::from_ref(&output.changes);
        let parts = if known_in_parts { &output.parts } else { whole };
        let (roots, is_proven) = match proof.roots(parts) {
            Err(TrieError::Missing { .. }) if evidence.unproven => (proof.unproven_roots(parts), false),
            roots => (roots, true),
        };
        match roots {
            Ok(roots) => {
                if !evidence.lacks_ommers {
                    self.state_root = self.compare("the state root", &roots.block, &header.state_root);
                }
                if known_in_parts {
                    let root = receipts_root_before_byzantium(&output.receipts, &roots.transactions);
                    self.receipts_root = self.compare("the receipts root", &root, &header.receipts_root);
                }
            }
            Err(error) => {
                self.missing.push(format!("the witness does not prove the state root: {error}"));
                self.state_root = Verdict::Unproven;
            }
        }
        if !is_proven {
            self.state_root = self.state_root.without_proof();
            if known_in_parts {
                self.receipts_root = self.receipts_root.without_proof();
            }
        }
    }

    /// Checks the root of the state after the block, if it was computed.
    pub(crate) fn check_root(&mut self, output: &Output, root: Option<B256>) {
        if let Some(root) = root {
            self.state_root = self.compare("the state root", &root, &output.block.header().state_root);
        }
    }

    fn compare<T: PartialEq + std::fmt::Display>(&mut self, what: &str, actual: &T, expected: &T) -> Verdict {
        if actual == expected {
            return Verdict::Ok;
        }
        self.differences.push(format!("{what} is {actual}, but the header says {expected}"));
        Verdict::Fail
    }

    /// Whether no check failed.
    pub(crate) fn passed(&self) -> bool {
        self.differences.is_empty()
    }

    /// Whether all was there that the checks take.
    pub(crate) fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}
