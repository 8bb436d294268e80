use anyhow::Context as _;

/// The stack that `fvm` asks of a thread.
pub(crate) const STACK: usize = 64 << 20;

/// Runs on a thread with the stack that `fvm` asks for.
pub(crate) fn on_large_stack<T: Send>(work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, work).context("no thread")?;
        thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a panic while executing")))
    })
}
