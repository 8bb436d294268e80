use super::args::CopiesArgs;
use super::median::median;
use crate::shared::failure::Failure;
use crate::shared::output::say;
use crate::shared::progress::progress;
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::Instant;
use tandem_fevm::workload::{Chance, Fixed, World};
use tandem_fevm::{Engines, MemoryStore, Step, reference};

/// A tipset, and a state that stays as it is: each execution writes to a copy.
struct Copy {
    engines: Engines,
    thread: usize,
    world: World,
    steps: Vec<Step>,
}

impl Copy {
    fn new(args: &CopiesArgs, engines: &Engines, thread: usize) -> anyhow::Result<Self> {
        let mut world = args.workload.0.world()?;
        let steps = args.workload.0.tipset(&mut world, args.messages, &mut Chance::new(1 + thread as u64));
        let copy = Self { engines: engines.clone(), thread, world, steps };
        // Compiles the actors.
        copy.execute()?;
        Ok(copy)
    }

    /// Executes the tipset on the unmodified reference; gives the milliseconds.
    fn execute(&self) -> anyhow::Result<f64> {
        let store: Arc<MemoryStore> = Arc::new(self.world.store.copy());
        let pools = self.engines.pools();
        let pool = pools[self.thread % pools.len()].clone();
        let start = Instant::now();
        reference::execute(pool, &self.world.context, store, Fixed, &self.steps)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    }
}

fn engines(args: &CopiesArgs, copies: usize, shared: bool) -> anyhow::Result<Vec<Copy>> {
    let network = args.workload.0.world()?.context.network;
    let engines = match shared {
        true => Engines::shared(&network, copies)?,
        false => Engines::new(&network, copies)?,
    };
    (0..copies).map(|thread| Copy::new(args, &engines, thread)).collect()
}

/// All at once, a thread each; gives the longest time.
fn at_once(copies: &[Copy]) -> anyhow::Result<f64> {
    let barrier = Barrier::new(copies.len());
    std::thread::scope(|scope| {
        let run = |copy| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                Copy::execute(copy)
            })
        };
        let threads: Vec<_> = copies.iter().map(run).collect();
        let times =
            threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow::anyhow!("a panic"))?);
        times.collect::<anyhow::Result<Vec<_>>>().map(longest)
    })
}

fn longest(times: Vec<f64>) -> f64 {
    times.into_iter().fold(0.0, f64::max)
}

/// A process with a copy of its own.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn new(args: &CopiesArgs) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["fevm", "copies", "--child", "--workload", args.workload.0.name()])
            .args(["--messages", &args.messages.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = (input, output) else {
            anyhow::bail!("a process without pipes");
        };
        let mut process = Self { child, input, output: BufReader::new(output) };
        process.answer()?;
        Ok(process)
    }

    fn start(&mut self) -> anyhow::Result<()> {
        Ok(self.input.write_all(b"\n")?)
    }

    fn answer(&mut self) -> anyhow::Result<f64> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        line.trim().parse().map_err(|_| anyhow::anyhow!("a process ended early"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn child(args: &CopiesArgs) -> anyhow::Result<()> {
    let copies = engines(args, 1, false)?;
    say!("0");
    for line in std::io::stdin().lines() {
        line?;
        say!("{}", at_once(&copies)?);
    }
    Ok(())
}

const NAMES: [&str; 4] = ["alone", "threads, shared engines", "threads, own engines", "processes"];

fn measure(args: &CopiesArgs, done: impl Fn()) -> anyhow::Result<[Vec<f64>; 4]> {
    let alone = engines(args, 1, false)?;
    let shared = engines(args, args.copies, true)?;
    let own = engines(args, args.copies, false)?;
    let mut processes = (0..args.copies).map(|_| Process::new(args)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut times: [Vec<f64>; 4] = Default::default();
    for _ in 0..args.samples {
        for process in &mut processes {
            process.start()?;
        }
        let answers = processes.iter_mut().map(Process::answer).collect::<anyhow::Result<Vec<_>>>()?;
        let sample = [at_once(&alone)?, at_once(&shared)?, at_once(&own)?, longest(answers)];
        for (times, time) in times.iter_mut().zip(sample) {
            times.push(time);
        }
        done();
    }
    Ok(times)
}

pub(super) fn copies(args: &CopiesArgs) -> Result<(), Failure> {
    if args.messages == 0 || args.copies < 2 || args.samples == 0 {
        return Err(Failure::input("--messages and --samples must be at least 1, --copies at least 2"));
    }
    let fault = |error: anyhow::Error| Failure::fault(format!("{error:#}"));
    if args.child {
        return child(args).map_err(fault);
    }
    let bar = progress(args.samples, "executing", args.json);
    let times = measure(args, || bar.inc(1)).map_err(fault)?;
    bar.finish_and_clear();
    let name = args.workload.0.name();
    if !args.json {
        say!("{} tipsets `{name}` of {} messages at a time", args.copies, args.messages);
        say!("{:<24} {:>9} {:>11} {:>9}", "", "ms", "us/message", "to alone");
    }
    let alone = median(times[0].clone());
    for (arrangement, times) in NAMES.into_iter().zip(times) {
        let ms = median(times);
        let each = ms * 1e3 / args.messages as f64;
        let ratio = ms / alone;
        match args.json {
            true => say!(
                "{}",
                json!({ "workload": name, "copies": args.copies, "arrangement": arrangement, "ms": ms, "ratio": ratio })
            ),
            false => say!("{arrangement:<24} {ms:>9.1} {each:>11.1} {ratio:>9.2}"),
        }
    }
    Ok(())
}
