use crate::{
    engine::{Engine, Kind, Result},
    rng::Rng,
    rows,
};
use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Numbers of reading threads.
pub const READERS: [usize; 3] = [1, 2, 4];
const PHASE: Duration = Duration::from_secs(3);
/// Reads of one view, about as many as there are in a block that misses the cache above.
const READS_OF_A_VIEW: u64 = 1000;

/// What loading took.
pub struct Stored {
    pub load: Duration,
    pub bytes: u64,
    pub bytes_after: u64,
}

/// Blocks in one commit, without readers meanwhile.
pub const BATCHES: [usize; 3] = [1, 8, 64];

/// Everything measured of one engine.
#[derive(Clone, Default)]
pub struct Figures {
    /// Reads per second by number of threads, per round.
    reads_alone: [Vec<f64>; READERS.len()],
    reads_beside: [Vec<f64>; READERS.len()],
    /// Seconds.
    pub commits: Vec<f64>,
    /// Seconds a block by number of blocks in a commit, without readers.
    commits_alone: [Vec<f64>; BATCHES.len()],
    /// Seconds of processor time a block by number of blocks in a commit, work in the background included.
    processor: [Vec<f64>; BATCHES.len()],
    /// Microseconds of processor time a read, without a writer.
    processor_read: Vec<f64>,
    /// Bytes written to the disk a block by number of blocks in a commit.
    written: [Vec<f64>; BATCHES.len()],
    pub open_after_kill: Vec<f64>,
}

pub struct Medians {
    pub reads_alone: [f64; READERS.len()],
    pub reads_beside: [f64; READERS.len()],
    pub commit: f64,
    pub commit_slow: f64,
    pub commits_alone: [f64; BATCHES.len()],
    pub processor: [f64; BATCHES.len()],
    pub processor_read: f64,
    pub written: [f64; BATCHES.len()],
    pub open_after_kill: f64,
}

impl Figures {
    pub fn medians(&mut self) -> Medians {
        Medians {
            reads_alone: self.reads_alone.each_mut().map(|values| quantile(values, 50)),
            reads_beside: self.reads_beside.each_mut().map(|values| quantile(values, 50)),
            commit: quantile(&mut self.commits, 50),
            commit_slow: quantile(&mut self.commits, 95),
            commits_alone: self.commits_alone.each_mut().map(|values| quantile(values, 50)),
            processor: self.processor.each_mut().map(|values| quantile(values, 50)),
            processor_read: quantile(&mut self.processor_read, 50),
            written: self.written.each_mut().map(|values| quantile(values, 50)),
            open_after_kill: quantile(&mut self.open_after_kill, 50),
        }
    }
}

fn quantile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() * percent / 100).copied().unwrap_or(f64::NAN)
}

pub fn time(run: impl FnOnce() -> Result<()>) -> Result<f64> {
    let started = Instant::now();
    run()?;
    Ok(started.elapsed().as_secs_f64())
}

pub fn load(kind: Kind, dir: &Path) -> Result<Stored> {
    let engine = kind.open(dir)?;
    let mut load = Duration::ZERO;
    for table in 0..rows::TABLES.len() {
        let rows = rows::initial(table);
        let started = Instant::now();
        engine.load(table, rows)?;
        load += started.elapsed();
    }
    drop(engine);
    eprintln!("loaded {} in {:.1} s", kind.name(), load.as_secs_f64());
    Ok(Stored { load, bytes: size(dir)?, bytes_after: 0 })
}

/// Bytes on disk, in this directory and below.
pub fn size(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() { size(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(bytes)
}

/// Reads alone, then beside a writer, with each number of threads.
pub fn round(engine: &dyn Engine, round: u64, figures: &mut Figures) -> Result<()> {
    for (index, threads) in READERS.into_iter().enumerate() {
        let before = processor_time()?;
        let mut elapsed = 0.0;
        let alone = read_while(engine, threads, round, || {
            elapsed = time(|| {
                thread::sleep(PHASE);
                Ok(())
            })?;
            Ok(())
        })?;
        figures.reads_alone[index].push(alone);
        figures.processor_read.push((processor_time()? - before) * 1e6 / (alone * elapsed));
        let mut rng = Rng::new(round << 8 | threads as u64);
        let commits = &mut figures.commits;
        let beside = read_while(engine, threads, round + 1000, || {
            let deadline = Instant::now() + PHASE;
            while Instant::now() < deadline {
                let batch = rows::block(&mut rng);
                commits.push(time(|| engine.commit(&batch))?);
            }
            Ok(())
        })?;
        figures.reads_beside[index].push(beside);
    }
    let mut rng = Rng::new(round << 8);
    for (index, blocks) in BATCHES.into_iter().enumerate() {
        let commits = (64 / blocks).max(1);
        let batches: Vec<_> =
            (0..commits).map(|_| rows::merged((0..blocks).map(|_| rows::block(&mut rng)))).collect();
        let (written, processor) = (bytes_written()?, processor_time()?);
        for batch in batches {
            figures.commits_alone[index].push(time(|| engine.commit(&batch))? / blocks as f64);
        }
        let all = (commits * blocks) as f64;
        figures.written[index].push((bytes_written()? - written) as f64 / all);
        figures.processor[index].push((processor_time()? - processor) / all);
    }
    Ok(())
}

/// Bytes that this process has caused to be written to the disk.
fn bytes_written() -> Result<u64> {
    let text = fs::read_to_string("/proc/self/io")?;
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.ok_or("/proc/self/io does not tell what was written")?.parse()?)
}

/// Reads per second of all threads together for as long as `run` runs.
fn read_while(
    engine: &dyn Engine,
    threads: usize,
    seed: u64,
    run: impl FnOnce() -> Result<()>,
) -> Result<f64> {
    let stop = AtomicBool::new(false);
    let started = Instant::now();
    let read = |thread: usize| -> Result<u64> {
        let mut rng = Rng::new(seed << 16 | thread as u64);
        let mut reads = 0;
        while !stop.load(Ordering::Relaxed) {
            let reader = engine.reader()?;
            for _ in 0..READS_OF_A_VIEW {
                let (table, key) = rows::read(&mut rng);
                std::hint::black_box(reader.get(table, &key)?);
            }
            reads += READS_OF_A_VIEW;
        }
        Ok(reads)
    };
    let reads = thread::scope(|scope| {
        let readers: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn({
                    let read = &read;
                    move || read(thread)
                })
            })
            .collect();
        let ran = run();
        stop.store(true, Ordering::Relaxed);
        let mut reads = 0;
        for reader in readers {
            reads += reader.join().map_err(|_| "a reader panicked")??;
        }
        ran.map(|()| reads)
    })?;
    Ok(reads as f64 / started.elapsed().as_secs_f64())
}

/// Commits blocks until the process is killed.
pub fn commit_forever(kind: Kind, dir: &Path) -> Result<()> {
    let engine = kind.open(dir)?;
    let mut rng = Rng::new(u64::from(std::process::id()));
    loop {
        engine.commit(&rows::block(&mut rng))?;
    }
}

/// Seconds of processor time that this process has taken, of all threads, in ticks of 10 ms.
fn processor_time() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // The name in parentheses may hold blanks. After it come the state and ten fields before the two times.
    let fields = text.rsplit_once(')').map_or("", |(_, fields)| fields);
    let times = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = times.sum::<std::result::Result<u64, _>>()?;
    Ok(ticks as f64 / 100.0)
}
