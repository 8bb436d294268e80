//! Finds streams that hang. Such a stream cannot be stopped, so the process ends.

use crate::fuzz::case::Case;
use crate::fuzz::run::ExecutionMode;
use std::path::PathBuf;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A stream that takes longer than this hangs. Streams here take milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is being executed, and since when.
type Current = Option<(Instant, ExecutionMode, Case)>;

/// Watches one test's streams from a thread of its own.
pub(crate) struct Watchdog {
    current: Arc<Mutex<Current>>,
    /// Number of the case, for messages.
    number: Arc<Mutex<String>>,
    /// Dropped at the end, which ends the thread.
    _present: Sender<()>,
}

/// Where cases that fail are written.
pub(crate) fn failure_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}.txt"))
}

impl Watchdog {
    pub(crate) fn new() -> Self {
        let (present, absent) = channel();
        let current = Arc::new(Mutex::new(None));
        let number = Arc::new(Mutex::new(String::new()));
        let (watched, named) = (current.clone(), number.clone());
        std::thread::spawn(move || {
            while absent.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                let current: std::sync::MutexGuard<'_, Current> = watched.lock().unwrap();
                if let Some((since, mode, case)) = &*current
                    && since.elapsed() > PATIENCE
                {
                    let name = named.lock().unwrap();
                    let file = failure_file(&name);
                    let written = std::fs::write(&file, format!("# {name} hangs: {mode:?}\n{case}"));
                    eprintln!("{name} hangs: {mode:?}\nwritten to {}: {written:?}", file.display());
                    std::process::abort();
                }
            }
        });
        Self { current, number, _present: present }
    }

    /// Says which case the next streams belong to.
    pub(crate) fn name(&self, name: &str) {
        name.clone_into(&mut self.number.lock().unwrap());
    }

    pub(crate) fn begin(&self, case: &Case, mode: ExecutionMode) {
        *self.current.lock().unwrap() = Some((Instant::now(), mode, case.clone()));
    }

    pub(crate) fn end(&self) {
        *self.current.lock().unwrap() = None;
    }
}
