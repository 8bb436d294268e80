/// What is done with transactions and their results.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Whether transactions that are invalid, or that the block has no room for, are left out.
    pub(crate) skips: bool,
    /// Whether blocks come with revm's results.
    pub(crate) keeps_results: bool,
    /// Whether the store holds the changes of each block by the time the consumer asks for the next one.
    pub(crate) consumer_commits: bool,
}
