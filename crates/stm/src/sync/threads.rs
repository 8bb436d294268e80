//! A model of rayon's thread pool, as far as the engine uses one, on shuttle's threads.
//!
//! Work that borrows from its caller cannot move to a thread of the pool without unsafe code. It stays on a thread of its own, and the pool
//! *lends* it a thread: that thread waits until the work is done.

use super::locks::{Condvar, Mutex};
use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

shuttle::thread_local! {
    /// The pool, and the number of its thread that this thread is or that is lent to it.
    static CURRENT: RefCell<Option<(Arc<Pool>, usize)>> = RefCell::new(None);
}

/// Like [`rayon::ThreadPool`].
#[derive(Debug)]
pub(crate) struct ThreadPool(Arc<Pool>);

/// Like [`rayon::Yield`].
#[derive(Debug)]
pub(crate) enum Yield {
    /// A piece of work was done.
    Executed,
    /// There was none.
    Idle,
}

type Task = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queues {
    tasks: VecDeque<Task>,
    /// For each thread, the work for this thread alone.
    broadcasts: Vec<VecDeque<Task>>,
    closed: bool,
}

impl Queues {
    fn pop(&mut self, thread: usize) -> Option<Task> {
        self.broadcasts[thread].pop_front().or_else(|| self.tasks.pop_front())
    }
}

#[derive(Default)]
struct Pool {
    queues: Mutex<Queues>,
    changed: Condvar,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pool")
    }
}

impl Pool {
    fn change<R>(&self, change: impl FnOnce(&mut Queues) -> R) -> R {
        let result = change(&mut self.queues.lock());
        self.changed.notify_all();
        result
    }

    /// The loop of each thread.
    fn work(self: &Arc<Self>, thread: usize) {
        CURRENT.with(|current| *current.borrow_mut() = Some((self.clone(), thread)));
        loop {
            let mut queues = self.queues.lock();
            let task = loop {
                match queues.pop(thread) {
                    Some(task) => break task,
                    None if queues.closed => return,
                    None => self.changed.wait(&mut queues),
                }
            };
            drop(queues);
            let _ = catch_unwind(AssertUnwindSafe(task));
        }
    }
}

/// The loan of a thread of the pool to work that borrows.
#[derive(Default)]
struct Loan {
    stage: Mutex<Stage>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Wanted,
    Lent(usize),
    Returned,
}

impl Loan {
    fn set(&self, stage: Stage) {
        *self.stage.lock() = stage;
        self.changed.notify_all();
    }

    /// The task that lends the thread it runs on.
    fn lend(self: &Arc<Self>) -> Task {
        let loan = self.clone();
        Box::new(move || {
            let thread = CURRENT.with(|current| current.borrow().as_ref().map(|(_, thread)| *thread));
            loan.set(Stage::Lent(thread.expect("tasks run on the pool's threads")));
            let mut stage = loan.stage.lock();
            while *stage != Stage::Returned {
                loan.changed.wait(&mut stage);
            }
        })
    }

    /// Waits for a thread and does the work as if on it.
    fn execute<R>(&self, pool: &Arc<Pool>, work: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
        let mut stage = self.stage.lock();
        let thread = loop {
            match *stage {
                Stage::Lent(thread) => break thread,
                _ => self.changed.wait(&mut stage),
            }
        };
        drop(stage);
        CURRENT.with(|current| *current.borrow_mut() = Some((pool.clone(), thread)));
        let result = catch_unwind(AssertUnwindSafe(work));
        CURRENT.with(|current| *current.borrow_mut() = None);
        self.set(Stage::Returned);
        result
    }
}

/// Keeps a scope's threads from ending before the scope waits for them: shuttle wakes a scope's owner when the last of
/// them ends, whatever the owner is waiting for.
#[derive(Default)]
struct Exit {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Exit {
    fn open(&self) {
        *self.open.lock() = true;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let mut open = self.open.lock();
        while !*open {
            self.changed.wait(&mut open);
        }
    }
}

/// Like [`rayon::Scope`].
pub(crate) struct Scope<'scope, 'env> {
    pool: &'scope Arc<Pool>,
    exit: Arc<Exit>,
    threads: &'scope shuttle::thread::Scope<'scope, 'env>,
}

impl<'scope> Scope<'scope, '_> {
    /// Like [`rayon::Scope::spawn`], without an argument for the closure.
    pub(crate) fn spawn(&self, work: impl FnOnce(()) + Send + 'scope) {
        let (pool, loan) = (self.pool, Arc::<Loan>::default());
        pool.change(|queues| queues.tasks.push_back(loan.lend()));
        let exit = self.exit.clone();
        self.threads.spawn(move || {
            let _ = loan.execute(pool, || work(()));
            exit.pass();
        });
    }

    /// Like [`rayon::Scope::spawn_broadcast`], without arguments for the closure.
    pub(crate) fn spawn_broadcast(&self, work: impl Fn((), ()) + Send + Sync + 'scope) {
        let work = Arc::new(work);
        let pool = self.pool;
        let threads = pool.queues.lock().broadcasts.len();
        for thread in 0..threads {
            let loan = Arc::<Loan>::default();
            pool.change(|queues| queues.broadcasts[thread].push_back(loan.lend()));
            let (work, exit) = (work.clone(), self.exit.clone());
            self.threads.spawn(move || {
                let _ = loan.execute(pool, || work((), ()));
                exit.pass();
            });
        }
    }
}

impl ThreadPool {
    /// Like [`rayon::ThreadPool::install`].
    pub(crate) fn install<R>(&self, work: impl FnOnce() -> R) -> R {
        if CURRENT.with(|current| current.borrow().is_some()) {
            return work();
        }
        let loan = Arc::<Loan>::default();
        self.0.change(|queues| queues.tasks.push_back(loan.lend()));
        loan.execute(&self.0, work).unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// Like [`rayon::ThreadPool::spawn`].
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        self.0.change(|queues| queues.tasks.push_back(Box::new(work)));
    }

    /// Like [`rayon::ThreadPool::in_place_scope`].
    pub(crate) fn in_place_scope<'env, R>(
        &'env self,
        work: impl for<'scope> FnOnce(&Scope<'scope, 'env>) -> R,
    ) -> R {
        let pool = &self.0;
        let exit = Arc::<Exit>::default();
        let result = shuttle::thread::scope(|threads| {
            let scope = Scope { pool, exit: exit.clone(), threads };
            let result = catch_unwind(AssertUnwindSafe(|| work(&scope)));
            exit.open();
            result
        });
        result.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.0.change(|queues| queues.closed = true);
    }
}

/// Like [`rayon::ThreadPoolBuilder`].
#[derive(Debug, Default)]
pub(crate) struct ThreadPoolBuilder {
    threads: usize,
}

impl ThreadPoolBuilder {
    /// Settings that need at least [`Self::num_threads`].
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Number of threads.
    #[must_use]
    pub(crate) fn num_threads(self, threads: usize) -> Self {
        Self { threads }
    }

    /// Shuttle numbers threads itself.
    #[must_use]
    pub(crate) fn thread_name(self, _: impl Fn(usize) -> String) -> Self {
        self
    }

    /// Panics of spawned work go nowhere in any case.
    #[must_use]
    pub(crate) fn panic_handler(self, _: impl Fn(Box<dyn Any + Send>)) -> Self {
        self
    }

    /// Starts the threads.
    pub(crate) fn build(self) -> Result<ThreadPool, std::convert::Infallible> {
        let pool = Arc::<Pool>::default();
        pool.change(|queues| queues.broadcasts.resize_with(self.threads, VecDeque::new));
        for thread in 0..self.threads {
            let pool = pool.clone();
            shuttle::thread::spawn(move || pool.work(thread));
        }
        Ok(ThreadPool(pool))
    }
}

/// Like [`rayon::yield_now`].
pub(crate) fn yield_now() -> Option<Yield> {
    let (pool, thread) = CURRENT.with(|current| current.borrow().clone())?;
    let task = pool.queues.lock().pop(thread);
    let Some(task) = task else {
        shuttle::thread::yield_now();
        return Some(Yield::Idle);
    };
    let _ = catch_unwind(AssertUnwindSafe(task));
    Some(Yield::Executed)
}
