use alloy_primitives::B256;
use std::error::Error;
use std::fmt::{Display, Formatter};

/// Says which block breaks a rule, and which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid<F> {
    /// The block's number, as its header states it.
    pub number: u64,
    /// The block's hash.
    pub hash: B256,
    /// The broken rule.
    pub fault: F,
}

impl<F: Display> Display for Invalid<F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "block {} ({}): {}", self.number, self.hash, self.fault)
    }
}

impl<F: Display + std::fmt::Debug> Error for Invalid<F> {}

/// Shows a field that may be absent.
pub(super) fn show<T: Display>(value: &Option<T>) -> String {
    value.as_ref().map_or_else(|| "absent".to_owned(), T::to_string)
}
