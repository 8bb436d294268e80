use crate::config::ConfigError;
use crate::sync::{Mutex, ThreadPool, ThreadPoolBuilder};

/// Upper bound on the idle teams that are kept for later streams.
const KEPT: usize = 4;

/// Teams of threads that help the drivers of streams. Each stream has a team to itself: when its steps, its input or its consumer wait,
/// no other stream waits with it.
#[derive(Debug)]
pub(crate) struct Helpers {
    /// Threads per team.
    size: usize,
    name: &'static str,
    idle: Mutex<Vec<ThreadPool>>,
}

/// The team of one stream; goes back to the idle teams when it is dropped.
#[derive(Debug)]
pub(crate) struct Team<'h> {
    helpers: &'h Helpers,
    threads: Option<ThreadPool>,
}

impl Team<'_> {
    /// Its threads, if there are any.
    pub(crate) fn threads(&self) -> Option<&ThreadPool> {
        self.threads.as_ref()
    }

    /// Ends its threads instead of giving them back.
    pub(crate) fn end(&mut self) {
        self.threads = None;
    }
}

impl Drop for Team<'_> {
    fn drop(&mut self) {
        let mut idle = self.helpers.idle.lock();
        if idle.len() < KEPT {
            idle.extend(self.threads.take());
        }
    }
}

impl Helpers {
    /// Teams of `size` threads with this name, each started when it is needed.
    pub(crate) fn new(size: usize, name: &'static str) -> Self {
        Self { size, name, idle: Mutex::default() }
    }

    /// Starts a first team.
    pub(crate) fn started(self) -> Result<Self, ConfigError> {
        if self.size > 0 {
            let first = start(self.size, self.name).ok_or(ConfigError::Spawn)?;
            self.idle.lock().push(first);
        }
        Ok(self)
    }

    /// An idle team, or one without threads if no team is idle.
    pub(crate) fn idle(&self) -> Team<'_> {
        Team { helpers: self, threads: self.idle.lock().pop() }
    }

    /// An idle team, or else a new one. It has no threads if the operating system refuses them.
    pub(crate) fn any(&self) -> Team<'_> {
        let mut team = self.idle();
        if team.threads.is_none() && self.size > 0 {
            team.threads = start(self.size, self.name);
        }
        team
    }

    /// Ends the idle threads of all teams but one.
    pub(crate) fn release(&self) {
        self.idle.lock().truncate(1);
    }
}

/// Starts threads; `None` if the operating system refuses them.
pub(crate) fn start(threads: usize, name: &'static str) -> Option<ThreadPool> {
    let builder = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(move |i| format!("{name}-{i}"))
        // A panic of spawned work closes its channel, which shows it to the thread that waits for the result.
        .panic_handler(|_| {});
    builder.build().ok()
}
