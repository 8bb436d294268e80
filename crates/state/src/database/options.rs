use std::{fmt, sync::Arc};

/// How a [`Database`](super::Database) is opened.
#[derive(Clone)]
pub struct DatabaseOptions {
    pub(super) cache_bytes: usize,
    pub(super) create: bool,
    pub(super) on_repair: Arc<dyn Fn(f64) + Send + Sync>,
}

impl Default for DatabaseOptions {
    fn default() -> Self {
        Self { cache_bytes: 256 << 20, create: true, on_repair: Arc::new(|_| {}) }
    }
}

impl DatabaseOptions {
    /// A page cache of 256 MiB; a database that does not exist is created.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the memory for cached pages, in bytes.
    pub fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Sets whether a database that does not exist is created.
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// Sets the listener to the progress, from 0 to 1, of repairing a database that was not closed.
    ///
    /// Commits leave the database such that a repair is only needed if the file was made by another program.
    pub fn on_repair(mut self, progress: impl Fn(f64) + Send + Sync + 'static) -> Self {
        self.on_repair = Arc::new(progress);
        self
    }
}

impl fmt::Debug for DatabaseOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseOptions")
            .field("cache_bytes", &self.cache_bytes)
            .field("create", &self.create)
            .finish_non_exhaustive()
    }
}
