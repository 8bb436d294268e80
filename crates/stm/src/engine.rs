use crate::arena::Arena;
use crate::background::Background;
use crate::config::{Config, ConfigError, Cut, Settings};
use crate::control::Control;
use crate::domain::Domain;
use crate::error::StreamError;
use crate::feed::Feed;
use crate::frontier::Frontier;
use crate::helpers::{Helpers, Team};
use crate::metrics::Metrics;
use crate::placement::{Migration, Placement};
use crate::serial;
use crate::shared::Shared;
use crate::sink::Sink;
use crate::sync::ThreadPool;
use crate::vm::Vm;
use crate::worker::{Stream, ThreadOwner};

/// Executes streams, on threads that it keeps.
///
/// Making an engine starts its threads, but for those that drive streams with a consumer: these start with the first such streams. Dropping
/// it ends all. Any number of streams may execute at once. They may be started on any
/// thread: in the consumer, the input, the sink or a step of another stream, or in background work. Each stream has threads to itself,
/// so that none waits for another, unless its own input, steps, sink or consumer do. Streams share nothing else.
#[derive(Debug)]
pub struct Engine {
    helpers: Helpers,
    /// Threads that drive streams with a consumer.
    drivers: Helpers,
    background: Background,
    settings: Settings,
    migration: Migration,
    /// Upper bound on the memory of an arena after a stream, in bytes.
    kept: usize,
}

/// A handle to a stream that executes, for its consumer.
pub struct StreamHandle<'a, V: Vm> {
    control: &'a Control<V::Error>,
    /// What a model looks into, if the stream has several workers.
    #[cfg(shuttle)]
    pub(crate) shared: Option<&'a Shared<V>>,
}

impl<V: Vm> std::fmt::Debug for StreamHandle<'_, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StreamHandle")
    }
}

impl<V: Vm> StreamHandle<'_, V> {
    /// Ends the stream early, without an error. Workers finish the steps that they execute, then leave.
    pub fn cancel(&self) {
        self.control.stop();
    }

    /// The counters so far. No counter ever falls. A worker updates its part after it has served the frontier, after it has executed the
    /// steps that it claimed, and every 64 steps while it serves the frontier, so the last steps may be missing. Once the sink is
    /// dropped, the counters are complete: those that [`Engine::stream`] returns. Timelines come at the end.
    ///
    /// Takes one lock per worker, which the workers hardly notice.
    pub fn metrics(&self) -> Metrics {
        self.control.metrics()
    }

    /// Takes the error that ended the stream. It is set before the sink is dropped.
    pub fn take_failure(&self) -> Option<StreamError<V::Error>> {
        self.control.take_failure()
    }
}

/// Ends the stream when its consumer panics, so that the panic need not wait for the stream's end.
struct CancelOnUnwind<'a, E>(&'a Control<E>);

impl<E> Drop for CancelOnUnwind<'_, E> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop();
        }
    }
}

/// Executes `drive` on the driver's thread and `consume` on this one, and waits for both. If there is no such thread, calls `close` in place
/// of `drive`, and the stream fails.
fn consume_beside<V: Vm, R>(
    driver: Option<&ThreadPool>,
    handle: StreamHandle<'_, V>,
    drive: impl FnOnce() + Send,
    close: impl FnOnce(),
    consume: impl FnOnce(StreamHandle<'_, V>) -> R,
) -> R {
    let control = handle.control;
    let consume = || {
        let _cancel = CancelOnUnwind(control);
        consume(handle)
    };
    match driver {
        Some(driver) => driver.in_place_scope(|scope| {
            scope.spawn(|_| drive());
            consume()
        }),
        None => {
            control.fail(StreamError::Spawn);
            close();
            consume()
        }
    }
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// A setting makes no sense, or the threads cannot be started.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let settings = config.validated()?;
        let helpers = Helpers::new(settings.threads - 1, "tandem").started()?;
        let drivers = Helpers::new(1, "tandem-stream");
        let background = Background::new(settings.threads)?;
        // Tried on a thread of the engine's own: if its affinity cannot be restored, no thread migrates.
        let migration = background.run(|| Migration::new(config.places_threads()));
        Ok(Self { helpers, drivers, background, settings, migration, kept: config.most_kept_memory() })
    }

    /// How many threads execute a stream.
    pub fn threads(&self) -> usize {
        self.settings.threads
    }

    /// Threads for work besides streams.
    pub fn background(&self) -> &Background {
        &self.background
    }

    /// Ends idle threads beyond those that one stream needs. There are more after several streams have executed at once.
    pub fn release(&self) {
        self.helpers.release();
        self.drivers.release();
    }

    /// Executes a stream for a consumer. Workers pull `batches` as far as they look ahead, and hand the final steps to `sink` in order.
    /// The calling thread executes `consume` meanwhile.
    ///
    /// The stream has [`Engine::threads`] threads: idle ones of the engine, or else new ones.
    ///
    /// A stream that ends early still waits for `batches` to yield once more: an input that can block for long should notice the end by
    /// other means.
    ///
    /// Returns when all workers have left and `consume` has returned: the result of `consume`, the counters, and how the stream ended.
    ///
    /// # Errors
    ///
    /// Why the stream ended before its input did, unless `consume` took the failure. All steps that the sink received are final.
    pub fn stream<V, I, S, R>(
        &self,
        vm: &V,
        arena: &mut Arena<V::Domain>,
        batches: I,
        cut: Cut,
        sink: S,
        consume: impl FnOnce(StreamHandle<'_, V>) -> R,
    ) -> (R, Metrics, Result<(), StreamError<V::Error>>)
    where
        V: Vm,
        I: Iterator<Item: IntoIterator<Item = V::Step, IntoIter: Send>> + Send,
        S: Sink<V>,
    {
        let (team, mut driver) = (self.helpers.any(), self.drivers.any());
        let Some(helpers) = team.threads() else {
            let control = Control::new(1, V::Domain::KINDS.len());
            let table = &mut arena.table;
            let (control_ref, settings) = (&control, &self.settings);
            let handle = StreamHandle {
                control: &control,
                #[cfg(shuttle)]
                shared: None,
            };
            let drive = move || serial::execute(vm, control_ref, settings, table, batches, sink);
            let result = consume_beside(driver.threads(), handle, drive, || (), consume);
            let (metrics, outcome) = self.finish_serial(control, arena);
            return (result, metrics, outcome);
        };
        let stream = self.prepare(vm, arena, batches, cut, usize::MAX, sink);
        let drive = || stream.drive(vm, helpers, ThreadOwner::Engine);
        let handle = StreamHandle {
            control: &stream.shared.control,
            #[cfg(shuttle)]
            shared: Some(&stream.shared),
        };
        let result = consume_beside(driver.threads(), handle, drive, || stream.close(), consume);
        if stream.left_pinned() {
            driver.end();
        }
        let (metrics, outcome) = self.finish(stream, team, arena);
        (result, metrics, outcome)
    }

    /// Executes a stream without a consumer, on the calling thread and on idle threads of the engine.
    ///
    /// The stream has [`Engine::threads`] threads, the calling one included, if no other stream executes. Beside other streams it may
    /// have the calling thread alone, since it starts no threads. A stream of up to four steps wakes none.
    ///
    /// `steps` says how many steps there are, or more: the window need not hold more. If that is not known, [`usize::MAX`].
    ///
    /// # Errors
    ///
    /// Why the stream ended before its input did. All steps that the sink received are final.
    pub fn call<V, I, S>(
        &self,
        vm: &V,
        arena: &mut Arena<V::Domain>,
        batches: I,
        cut: Cut,
        steps: usize,
        sink: S,
    ) -> (Metrics, Result<(), StreamError<V::Error>>)
    where
        V: Vm,
        I: Iterator<Item: IntoIterator<Item = V::Step, IntoIter: Send>> + Send,
        S: Sink<V>,
    {
        let team = self.helpers.idle();
        let Some(helpers) = team.threads() else { return self.call_alone(vm, arena, batches, sink) };
        let stream = self.prepare(vm, arena, batches, cut, steps, sink);
        stream.drive(vm, helpers, ThreadOwner::Caller);
        self.finish(stream, team, arena)
    }

    /// Executes a stream without a consumer on the calling thread alone: for streams that are shorter than it takes to wake threads. No
    /// step is executed ahead of its turn.
    ///
    /// # Errors
    ///
    /// As those of [`Engine::call`].
    pub fn call_alone<V, I, S>(
        &self,
        vm: &V,
        arena: &mut Arena<V::Domain>,
        batches: I,
        sink: S,
    ) -> (Metrics, Result<(), StreamError<V::Error>>)
    where
        V: Vm,
        I: Iterator<Item: IntoIterator<Item = V::Step>>,
        S: Sink<V>,
    {
        let control = Control::new(1, V::Domain::KINDS.len());
        serial::execute(vm, &control, &self.settings, &mut arena.table, batches, sink);
        self.finish_serial(control, arena)
    }

    /// Makes a stream for the driving thread and a team of helpers.
    fn prepare<V, I, S>(
        &self,
        vm: &V,
        arena: &mut Arena<V::Domain>,
        batches: I,
        cut: Cut,
        steps: usize,
        sink: S,
    ) -> Stream<V, S, Feed<I, <I::Item as IntoIterator>::IntoIter>>
    where
        V: Vm,
        I: Iterator<Item: IntoIterator<Item = V::Step, IntoIter: Send>> + Send,
        S: Sink<V>,
    {
        let mut settings = self.settings;
        settings.runs &= !vm.records_always();
        let window = steps.clamp(2, settings.window).next_power_of_two();
        let (shared, roles) = Shared::new(window, settings.threads, arena);
        Stream::new(
            shared,
            &settings,
            Placement::new(settings.threads, self.migration.clone()),
            Feed::new(batches, cut, &settings, roles.input),
            Frontier::new(sink, roles.frontier),
        )
    }

    /// Gives the memory of a finished stream on one thread back.
    fn finish_serial<D: Domain, E>(
        &self,
        control: Control<E>,
        arena: &mut Arena<D>,
    ) -> (Metrics, Result<(), StreamError<E>>) {
        arena.shrink_to(self.kept);
        (control.metrics(), control.into_failure().map_or(Ok(()), Err))
    }

    /// Gives the threads and the memory of a finished stream back.
    fn finish<V, I, S>(
        &self,
        stream: Stream<V, S, Feed<I, <I::Item as IntoIterator>::IntoIter>>,
        mut team: Team<'_>,
        arena: &mut Arena<V::Domain>,
    ) -> (Metrics, Result<(), StreamError<V::Error>>)
    where
        V: Vm,
        I: Iterator<Item: IntoIterator<Item = V::Step, IntoIter: Send>> + Send,
        S: Sink<V>,
    {
        if stream.left_pinned() {
            team.end();
        }
        let (metrics, shared) = stream.finish();
        let failure = shared.recycle(arena);
        arena.shrink_to(self.kept);
        (metrics, failure.map_or(Ok(()), Err))
    }
}
