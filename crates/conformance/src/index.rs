use serde::Deserialize;

/// Which data, gas limit and value of a state test's transaction are meant.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Index {
    /// Index into the list of data, and of access lists.
    pub data: usize,
    /// Index into the list of gas limits.
    pub gas: usize,
    /// Index into the list of values.
    pub value: usize,
}

impl std::fmt::Display for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "d{}g{}v{}", self.data, self.gas, self.value)
    }
}
