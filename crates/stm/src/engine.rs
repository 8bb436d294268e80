use crate::arena::Arena;
use crate::background::Background;
use crate::config::{Config, ConfigError, Cut, Settings};
use crate::error::StreamError;
use crate::feed::Feed;
use crate::frontier::Frontier;
use crate::helpers::{Helpers, Team};
use crate::metrics::Metrics;
use crate::seats::{Moves, Seats};
use crate::shared::{LONGEST_AT_FRONTIER, Shared};
use crate::sink::Sink;
use crate::sync::beside;
use crate::vm::Vm;
use crate::worker::{Crew, Thread};

/// Executes streams, on threads that it keeps.
///
/// Making an engine starts its threads; dropping it ends them. Any number of streams may execute at once, from whatever threads they are
/// called, and wherever: from the consumer, the input, the sink or a step of another stream, or from background work. Each has threads
/// to itself, so that none waits for another one, unless what it is given does (an input that waits for what another stream
/// yields, say). Streams share nothing else.
#[derive(Debug)]
pub struct Engine {
    helpers: Helpers,
    background: Background,
    settings: Settings,
    moves: Moves,
    /// How much of an arena is kept at most, in bytes.
    kept: usize,
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

    /// The counters so far. Workers tell theirs when they have served the frontier or executed what they claimed, and every 64 steps
    /// meanwhile; so the last steps may be missing, and none ever falls. Once the sink is dropped they are those that
    /// [`Engine::run`] returns. Timelines come at the end.
    ///
    /// Cheap for the workers; takes a lock for each of them.
    pub fn metrics(&self) -> Metrics {
        self.0.tallies.sum()
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
        let settings = config.validated()?;
        let helpers = Helpers::new(settings.threads - 1)?;
        let background = Background::new(settings.threads)?;
        // Where one thread cannot be given back what it may be on, none is moved.
        let moves = background.run(|| Moves::new(config.has_seats()));
        Ok(Self { helpers, background, settings, moves, kept: config.most_kept_memory() })
    }

    /// How many threads execute a stream.
    pub fn threads(&self) -> usize {
        self.settings.threads
    }

    /// Threads for work besides streams.
    pub fn background(&self) -> &Background {
        &self.background
    }

    /// Ends threads that are idle, but for as many as one stream needs: where several were executed at once, there are more.
    pub fn release(&self) {
        self.helpers.release();
    }

    /// Executes a stream for a consumer. `batches` is pulled from worker threads as far as they look ahead; `sink` receives the final
    /// steps in order on worker threads; `consume` runs on the calling thread meanwhile.
    ///
    /// The stream has as many threads as [`Engine::threads`] says. Those that other streams do not use are taken, others started.
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
        I: Iterator<Item: IntoIterator<Item = V::Step, IntoIter: Send>> + Send,
        S: Sink<V>,
    {
        let team = self.helpers.any();
        let crew = self.crew(&team, vm, arena, batches, cut, sink);
        let shared: &Shared<V> = &crew.shared;
        let drive = || crew.drive(vm, team.threads(), Thread::Own);
        let result = beside(drive, |started| {
            let _cancel = CancelOnUnwind(shared);
            if !started {
                shared.fail(StreamError::Spawn);
                crew.close();
            }
            consume(Running(shared))
        });
        let (metrics, outcome) = self.finish(crew, team, arena);
        (result, metrics, outcome)
    }

    /// Executes a stream that nobody consumes meanwhile, on the calling thread and on those of the engine's that are idle.
    ///
    /// As many threads as [`Engine::threads`] says, the calling one included, if no other stream is executed; several streams at once
    /// may have the calling thread alone. None is started, and few steps wake none.
    ///
    /// # Errors
    ///
    /// The last part tells why the stream ended before its input did. What the sink received until then is final.
    pub fn call<V, I, S>(
        &self,
        vm: &V,
        arena: &mut Arena<V::Domain>,
        batches: I,
        cut: Cut,
        sink: S,
    ) -> (Metrics, Result<(), StreamError<V::Error>>)
    where
        V: Vm,
        I: Iterator<Item: IntoIterator<Item = V::Step, IntoIter: Send>> + Send,
        S: Sink<V>,
    {
        let team = self.helpers.idle();
        let crew = self.crew(&team, vm, arena, batches, cut, sink);
        crew.drive(vm, team.threads(), Thread::Caller);
        self.finish(crew, team, arena)
    }

    /// A stream for one thread and a team.
    fn crew<V, I, S>(
        &self,
        team: &Team<'_>,
        vm: &V,
        arena: &mut Arena<V::Domain>,
        batches: I,
        cut: Cut,
        sink: S,
    ) -> Crew<V, S, Feed<I, <I::Item as IntoIterator>::IntoIter>>
    where
        V: Vm,
        I: Iterator<Item: IntoIterator<Item = V::Step, IntoIter: Send>> + Send,
        S: Sink<V>,
    {
        let mut settings = self.settings;
        settings.runs &= !vm.records_always();
        if team.threads().is_none() {
            settings.threads = 1;
        }
        if settings.threads == 1 {
            // One thread is never ahead, and fewer slots stay in its caches.
            settings.window = settings.window.min(LONGEST_AT_FRONTIER as usize);
        }
        let (shared, roles) = Shared::new(settings.window, settings.threads, arena);
        Crew::new(
            shared,
            &settings,
            Seats::new(settings.threads, self.moves.clone()),
            Feed::new(batches, cut, settings.hints, roles.input),
            Frontier::new(sink, roles.frontier),
        )
    }

    /// Gives back what a stream used that is over.
    fn finish<V, I, S>(
        &self,
        crew: Crew<V, S, Feed<I, <I::Item as IntoIterator>::IntoIter>>,
        mut team: Team<'_>,
        arena: &mut Arena<V::Domain>,
    ) -> (Metrics, Result<(), StreamError<V::Error>>)
    where
        V: Vm,
        I: Iterator<Item: IntoIterator<Item = V::Step, IntoIter: Send>> + Send,
        S: Sink<V>,
    {
        let (metrics, shared, bound) = crew.finish();
        if bound {
            team.end();
        }
        let failure = shared.recycle(arena);
        arena.shrink_to(self.kept);
        (metrics, failure.map_or(Ok(()), Err))
    }
}
