use crate::arena::Arena;
use crate::background::Background;
use crate::config::{Config, ConfigError, Cut};
use crate::error::StreamError;
use crate::feed::Feed;
use crate::frontier::Sink;
use crate::metrics::Metrics;
use crate::shared::{LONGEST_AT_FRONTIER, Shared};
use crate::sync::ThreadPoolBuilder;
use crate::vm::Vm;
use crate::worker::Crew;

/// A persistent pool of threads that executes streams, one at a time per call.
///
/// Making an engine starts its threads; dropping it ends them. Streams share the threads and nothing else.
#[derive(Debug)]
pub struct Engine {
    background: Background,
    threads: usize,
    window: usize,
    timing: bool,
    timelines: bool,
    hints: bool,
    runs: bool,
}

/// A stream in progress, as its consumer sees it.
pub struct Running<'a, V: Vm>(pub(crate) &'a Shared<V>);

impl<V: Vm> std::fmt::Debug for Running<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Running")
    }
}

impl<V: Vm> Running<'_, V> {
    /// Ends the stream early; that is no error. Steps being executed are finished, then the workers leave.
    pub fn cancel(&self) {
        self.0.stop();
    }

    /// Takes the error that ended the stream. It is there by the time the sink is dropped.
    pub fn take_failure(&self) -> Option<StreamError<V::Error>> {
        self.0.take_failure()
    }
}

/// Ends the stream when its consumer panics, so that the panic is not held up.
struct CancelOnUnwind<'a, V: Vm>(&'a Shared<V>);

impl<V: Vm> Drop for CancelOnUnwind<'_, V> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense or the threads cannot be started.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let (threads, window) = config.validated()?;
        // One thread is never ahead, and fewer slots stay in its caches.
        let window = if threads == 1 { window.min(LONGEST_AT_FRONTIER as usize) } else { window };
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("tandem-{i}"))
            // Whoever waits for spawned work that panicked finds its channel closed.
            .panic_handler(|_| {})
            .build()
            .map_err(|_| ConfigError::Spawn)?;
        let background = Background::new(pool);
        let (timing, timelines) = (config.is_timing(), config.has_timelines());
        let (hints, runs) = (config.has_hints(), config.has_runs());
        Ok(Self { background, threads, window, timing, timelines, hints, runs })
    }

    /// Number of worker threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The engine's threads, for work besides its streams.
    pub fn background(&self) -> &Background {
        &self.background
    }

    /// Executes a stream. `batches` is pulled from worker threads as far as they look ahead; `sink` receives the final
    /// steps in order on worker threads; `consume` runs on the calling thread meanwhile.
    ///
    /// A stream that has ended early leaves when `batches` next yields: an input that can block for long should watch
    /// for its end by other means.
    ///
    /// Returns when all workers have left and `consume` has returned, with its result and the counters.
    ///
    /// # Errors
    ///
    /// The last part tells why the stream ended before its input did, unless `consume` took the failure. What the
    /// sink received until then is final.
    pub fn run<V, I, S, R>(
        &self,
        vm: &V,
        arena: &mut Arena<V::Domain>,
        batches: I,
        cut: Cut,
        sink: S,
        consume: impl FnOnce(Running<'_, V>) -> R,
    ) -> (R, Metrics, Result<(), StreamError<V::Error>>)
    where
        V: Vm,
        I: Iterator + Send,
        I::Item: IntoIterator<Item = V::Step>,
        <I::Item as IntoIterator>::IntoIter: Send,
        S: Sink<V>,
    {
        let crew = Crew::new(
            Shared::new(self.window, arena, self.background.signal().clone()),
            self.threads,
            self.timing,
            self.timelines,
            self.runs && !vm.records_always(),
            Feed::new(batches, cut, self.hints),
            sink,
        );
        let shared: &Shared<V> = &crew.shared;
        let result = self.background.pool().in_place_scope(|scope| {
            let crew = &crew;
            // One for each thread: a worker that does background work must not come upon the loop of another one.
            scope.spawn_broadcast(move |_, _| crew.work(vm));
            let _cancel = CancelOnUnwind(shared);
            consume(Running(shared))
        });
        let (metrics, shared) = crew.finish();
        let failure = shared.recycle(arena);
        (result, metrics, failure.map_or(Ok(()), Err))
    }
}
