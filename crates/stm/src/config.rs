use thiserror::Error;

/// Where the stream is cut into pieces that execute one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Cut {
    /// Nowhere: steps of later batches start while earlier ones are in flight.
    #[default]
    Never,
    /// Between batches: the next batch is fed once everything before it is final.
    Batch,
}

/// Settings of an [`crate::Engine`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    threads: usize,
    window: usize,
    timing: bool,
    timelines: bool,
    hints: bool,
    runs: bool,
    placement: bool,
    kept: usize,
    memory: usize,
    alone_below: u64,
}

/// How streams are executed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) threads: usize,
    pub(crate) window: usize,
    pub(crate) timing: bool,
    pub(crate) timelines: bool,
    pub(crate) hints: bool,
    pub(crate) runs: bool,
    /// See [`Config::memory`].
    pub(crate) memory: usize,
}

/// A setting that makes no sense.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// There must be at least one thread.
    #[error("the number of threads must be between 1 and {MAX_THREADS}, not {0}")]
    Threads(usize),
    /// The window must hold at least two steps, or nothing is ever executed ahead.
    #[error("the window must be between 2 and {MAX_WINDOW} steps, not {0}")]
    Window(usize),
    /// The operating system refused the threads.
    #[error("the worker threads could not be started")]
    Spawn,
}

/// Upper bound on threads; far above any machine, it catches typing errors.
pub(crate) const MAX_THREADS: usize = 1024;
/// Upper bound on the window.
const MAX_WINDOW: usize = 1 << 20;

impl Default for Config {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, |n| n.get()),
            window: 1024,
            timing: false,
            timelines: false,
            hints: true,
            runs: true,
            placement: true,
            kept: 256 << 20,
            memory: 1 << 30,
            alone_below: 1_000_000,
        }
    }
}

impl Config {
    /// How many threads execute a stream. Default: the number that the operating system reports as available.
    ///
    /// Each of several simultaneous streams has threads of its own; as many more do [`crate::Background`] work.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// How many steps may be in flight at once; rounded up to a power of two. Default: 1024.
    ///
    /// Bounds the memory of a stream: results wait in the window until their turn.
    #[must_use]
    pub fn window(mut self, window: usize) -> Self {
        self.window = window;
        self
    }

    /// Whether to measure the time per phase in [`crate::Metrics`]. Costs about a tenth of a microsecond per step.
    /// Default: no.
    #[must_use]
    pub fn timing(mut self, timing: bool) -> Self {
        self.timing = timing;
        self
    }

    /// Whether to record what each worker did and when ([`crate::Metrics::timelines`]). Implies [`Config::timing`]. Memory grows with
    /// the stream. Default: no.
    #[must_use]
    pub fn timelines(mut self, timelines: bool) -> Self {
        self.timelines = timelines;
        self
    }

    /// Whether the VM's hints about steps ([`crate::Vm::conflict_class`], [`crate::Vm::weight`]) may change the order in which workers
    /// start them. Results are the same. Default: yes.
    #[must_use]
    pub fn hints(mut self, hints: bool) -> Self {
        self.hints = hints;
        self
    }

    /// Whether a worker may claim several short steps at once, and execute them as one *run* ([`crate::Vm::continues`]). Results are the
    /// same. Default: yes.
    #[must_use]
    pub fn runs(mut self, runs: bool) -> Self {
        self.runs = runs;
        self
    }

    /// Whether a worker that finds another worker on its CPU may migrate to a free CPU. Done on Linux alone, by `sched_setaffinity`: the
    /// thread's affinity is set to the free CPUs and restored at once. Default: yes.
    ///
    /// Only the engine's own threads migrate, never a caller's. No thread migrates where the operating system refuses to set an
    /// affinity, nor after restoring one has failed: that thread tries again while it works, and ends with its stream. The affinity
    /// restored is the one before the migration: if a container is given further CPUs later, threads that have migrated do not use
    /// them. Turn placement off where the engine's CPUs change, or where the host program places threads itself.
    #[must_use]
    pub fn placement(mut self, placement: bool) -> Self {
        self.placement = placement;
        self
    }

    /// Upper bound on the memory kept from stream to stream, in bytes: at a stream's end the tables of its [`crate::Arena`] shrink to it.
    /// Default: 256 MiB.
    ///
    /// Kept memory need not be allocated and cleared for the next stream. A stream that executes may use more.
    #[must_use]
    pub fn kept_memory(mut self, bytes: usize) -> Self {
        self.kept = bytes;
        self
    }

    /// Upper bound on the memory of the values that a stream knows, in bytes. Default: 1 GiB.
    ///
    /// A stream knows the value of each location that its steps have met. Once these take more memory, the stream finishes the batches
    /// that it has begun, gives the changed values to the VM ([`crate::Vm::retire`]), forgets all values, and goes on: a new *round*.
    /// What is read after that comes from the base state. So a stream may be as long as its input. Each round costs about as much as
    /// starting a stream. Tables grow by doubling, so that they may take twice as much at times. Results are the same.
    #[must_use]
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Calls of less weight than this had better be executed by the calling thread alone ([`crate::Engine::call_alone`]): they end about
    /// when another thread would be awake. The engine leaves that to whoever makes the calls and knows their weight, in the unit of
    /// [`crate::Vm::weight`]. Results are the same. Default: one million.
    #[must_use]
    pub fn alone_below(mut self, weight: u64) -> Self {
        self.alone_below = weight;
        self
    }

    /// The weight set by [`Config::alone_below`].
    pub fn least_shared_weight(&self) -> u64 {
        self.alone_below
    }

    /// The bound set by [`Config::kept_memory`].
    pub fn most_kept_memory(&self) -> usize {
        self.kept
    }

    pub(crate) fn places_threads(&self) -> bool {
        self.placement
    }

    pub(crate) fn validated(&self) -> Result<Settings, ConfigError> {
        if self.threads == 0 || self.threads > MAX_THREADS {
            return Err(ConfigError::Threads(self.threads));
        }
        if self.window < 2 || self.window > MAX_WINDOW {
            return Err(ConfigError::Window(self.window));
        }
        Ok(Settings {
            threads: self.threads,
            window: self.window.next_power_of_two(),
            timing: self.timing || self.timelines,
            timelines: self.timelines,
            hints: self.hints,
            runs: self.runs,
            memory: self.memory,
        })
    }
}
