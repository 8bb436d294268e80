/// How to run tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Files that are run at once.
    pub jobs: usize,
    /// Numbers of worker threads: each block is executed with each of them, and all must give the same. With one thread
    /// nothing is executed in parallel.
    pub threads: Vec<usize>,
    /// Whether the parallel engine's reads of the state take as long as from a disk, so that it gets further ahead.
    pub slow_reads: bool,
    /// Whether alloy-evm's executor executes every block, too, and all must agree with it: receipts, and the state's changes as a bundle
    /// with reverts.
    pub alloy: bool,
    /// Whether to go on after a failure.
    pub keep_going: bool,
}
