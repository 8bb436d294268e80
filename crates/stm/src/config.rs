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
    seats: bool,
    kept: usize,
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
}

/// A setting that makes no sense.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// Nobody would execute anything.
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
            seats: true,
            kept: 256 << 20,
        }
    }
}

impl Config {
    /// How many threads execute a stream. Default: what the operating system reports as available.
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

    /// Whether to write down what each worker did when ([`crate::Metrics::timelines`]), with its time. Memory grows with the
    /// stream. Default: no.
    #[must_use]
    pub fn timelines(mut self, timelines: bool) -> Self {
        self.timelines = timelines;
        self
    }

    /// Whether what the VM says of steps ([`crate::Vm::group`], [`crate::Vm::weight`]) may change the order in which they are
    /// started. Results are the same. Default: yes.
    #[must_use]
    pub fn hints(mut self, hints: bool) -> Self {
        self.hints = hints;
        self
    }

    /// Whether a worker may claim several short steps at once, and execute them in one run ([`crate::Vm::continues`]). Results are the
    /// same. Default: yes.
    #[must_use]
    pub fn runs(mut self, runs: bool) -> Self {
        self.runs = runs;
        self
    }

    /// Whether workers that find another one on their processor may move to a free one, on Linux, by `sched_setaffinity`: the thread
    /// is bound to free processors and given back those that it may be on, at once. Default: yes.
    ///
    /// Only threads of the engine's own are moved, never a caller's. None is where the operating system refuses to set what a
    /// thread may be on, nor from the first time on that a thread could not be given its processors back; that one asks for them again
    /// while it works, and ends with its stream. What is given back is what the thread could be on then: processors that a container
    /// is given later may not be used by threads that were moved. Turn it off where an engine's processors change, or where the host program
    /// places threads itself.
    #[must_use]
    pub fn seats(mut self, seats: bool) -> Self {
        self.seats = seats;
        self
    }

    /// How much memory is kept from stream to stream at most, in bytes: the tables of an [`crate::Arena`] are made smaller at a
    /// stream's end where they hold more. Default: 256 MiB.
    ///
    /// Memory that is kept need not be allocated and cleared for the next stream. A stream itself takes what it needs.
    #[must_use]
    pub fn kept_memory(mut self, bytes: usize) -> Self {
        self.kept = bytes;
        self
    }

    /// What [`Config::kept_memory`] says.
    pub fn most_kept_memory(&self) -> usize {
        self.kept
    }

    pub(crate) fn has_seats(&self) -> bool {
        self.seats
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
        })
    }
}
