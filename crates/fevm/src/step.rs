//! A tipset's steps, and their results.

use cid::Cid;
use fvm::executor::ApplyRet;
use fvm_shared::econ::TokenAmount;
use fvm_shared::event::StampedEvent;
use fvm_shared::message::Message;
use fvm_shared::receipt::Receipt;
use serde::{Deserialize, Serialize};

use crate::checks::Stats;

/// One unit of a tipset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A message from the chain: paid for by its sender.
    Explicit {
        /// The message.
        message: Message,
        /// The bytes it takes on the chain, signature included, for which it is charged.
        raw_length: usize,
    },
    /// A message from the system, such as cron's and the block reward's: it needs no sequence and pays no gas. It executes on
    /// the state left by all steps before it, and never early.
    Implicit {
        /// The message.
        message: Message,
    },
}

impl Step {
    /// The message, of a user or implicit.
    pub fn message(&self) -> &Message {
        match self {
            Self::Explicit { message, .. } | Self::Implicit { message } => message,
        }
    }
}

/// The result of a message: everything that consensus depends on, and the explanation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MessageResult {
    /// Exit code, return data, gas used and events root.
    pub receipt: Receipt,
    /// The codec of the return data, if there is any.
    pub return_codec: Option<u64>,
    /// The miner's penalty for including a message that could not execute.
    pub penalty: TokenAmount,
    /// The miner's tip.
    pub miner_tip: TokenAmount,
    /// Burnt for the gas used.
    pub base_fee_burn: TokenAmount,
    /// Burnt for gas that was asked for and not used.
    pub over_estimation_burn: TokenAmount,
    /// The sender's refund.
    pub refund: TokenAmount,
    /// Gas given back.
    pub gas_refund: u64,
    /// Gas burnt for over-estimation.
    pub gas_burned: u64,
    /// The events, in order.
    pub events: Vec<StampedEvent>,
    /// Why it failed, if it did: a backtrace, or why it could not start.
    pub failure: Option<String>,
}

impl From<ApplyRet> for MessageResult {
    fn from(ret: ApplyRet) -> Self {
        Self {
            receipt: ret.msg_receipt,
            return_codec: ret.return_codec,
            penalty: ret.penalty,
            miner_tip: ret.miner_tip,
            base_fee_burn: ret.base_fee_burn,
            over_estimation_burn: ret.over_estimation_burn,
            refund: ret.refund,
            gas_refund: ret.gas_refund,
            gas_burned: ret.gas_burned,
            events: ret.events,
            failure: ret.failure_info.map(|failure| failure.to_string()),
        }
    }
}

impl MessageResult {
    /// Whether two results agree in everything but the text that explains a failure.
    pub fn agrees(&self, other: &Self) -> bool {
        let facts = |result: &Self| {
            (
                result.receipt.clone(),
                result.return_codec,
                [
                    result.penalty.clone(),
                    result.miner_tip.clone(),
                    result.base_fee_burn.clone(),
                    result.over_estimation_burn.clone(),
                    result.refund.clone(),
                ],
                [result.gas_refund, result.gas_burned],
                result.events.clone(),
            )
        };
        facts(self) == facts(other)
    }
}

/// A message that no block may contain, whatever the state: without a gas limit, say.
#[derive(Debug)]
pub struct InvalidMessage {
    /// Its position in the tipset.
    pub position: usize,
    message: Message,
    reason: String,
}

impl std::error::Error for InvalidMessage {}

impl std::fmt::Display for InvalidMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { position, message: Message { from, sequence, .. }, reason } = self;
        write!(f, "message {position} of the tipset (from {from}, sequence {sequence}) is invalid: {reason}")
    }
}

/// Looks for the first message that no block may contain.
#[allow(clippy::result_large_err, reason = "made at most once for a tipset")]
pub(crate) fn check(steps: &[Step]) -> Result<(), InvalidMessage> {
    for (position, step) in steps.iter().enumerate() {
        let message = step.message();
        if let Err(error) = message.check() {
            let (message, reason) = (message.clone(), format!("{error:#}"));
            return Err(InvalidMessage { position, message, reason });
        }
    }
    Ok(())
}

/// A tipset's results.
#[derive(Clone, Debug)]
pub struct TipsetResult {
    /// One for each step, in order.
    pub results: Vec<MessageResult>,
    /// The root of the state after the last step.
    pub root: Cid,
    /// How they came about.
    pub stats: Stats,
}

impl TipsetResult {
    /// Compares everything that consensus depends on.
    ///
    /// # Errors
    /// The first difference, in words.
    pub fn compare(&self, other: &Self) -> Result<(), String> {
        if self.results.len() != other.results.len() {
            let (ours, theirs) = (self.results.len(), other.results.len());
            return Err(format!("{ours} results, and {theirs} to compare with"));
        }
        let pairs = self.results.iter().zip(&other.results);
        if let Some((position, (one, two))) = pairs.enumerate().find(|(_, (a, b))| !a.agrees(b)) {
            return Err(format!("message {position} differs: {one:?} and {two:?}"));
        }
        if self.root != other.root {
            return Err(format!("state roots differ: {} and {}", self.root, other.root));
        }
        Ok(())
    }
}
