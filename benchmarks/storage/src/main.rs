//! Storage engines compared on what Tandem does to its database: some threads read single rows of three million, while
//! one writes the rows of a block at a time, durable when the commit returns.
//!
//! `cargo run --release -- DIR [ROUNDS]` makes its databases in DIR and prints a table of medians. The engines take turns
//! in each round, so that whatever else the machine does hits all of them.

mod engine;
mod fjall_engine;
mod measure;
mod redb_engine;
mod rng;
mod rows;

use engine::{Kind, Result};
use measure::{Figures, Stored};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["commit-until-killed", index, dir] => {
            measure::commit_forever(Kind::ALL[index.parse::<usize>()?], Path::new(dir))
        }
        [dir] => compare(Path::new(dir), 5),
        [dir, rounds] => compare(Path::new(dir), rounds.parse()?),
        _ => Err("usage: tandem-storage-benchmark DIR [ROUNDS]".into()),
    }
}

fn compare(dir: &Path, rounds: usize) -> Result<()> {
    let dirs: Vec<PathBuf> = (0..Kind::ALL.len()).map(|index| dir.join(format!("engine-{index}"))).collect();
    let mut stored = Vec::new();
    for (kind, dir) in Kind::ALL.into_iter().zip(&dirs) {
        fs::create_dir_all(dir)?;
        stored.push(measure::load(kind, dir)?);
    }
    let mut figures = vec![Figures::default(); Kind::ALL.len()];
    {
        let engines: Vec<_> =
            Kind::ALL.iter().zip(&dirs).map(|(kind, dir)| kind.open(dir)).collect::<Result<_>>()?;
        for round in 0..rounds {
            for (engine, figures) in engines.iter().zip(&mut figures) {
                measure::round(engine.as_ref(), round as u64, figures)?;
            }
            eprintln!("round {} of {rounds}", round + 1);
        }
    }
    for (index, (kind, dir)) in Kind::ALL.into_iter().zip(&dirs).enumerate() {
        stored[index].bytes_after = measure::size(dir)?;
        for _ in 0..3 {
            kill_while_committing(index, dir)?;
            figures[index].open_after_kill.push(measure::time(|| kind.open(dir).map(drop))?);
        }
    }
    print(&stored, &mut figures);
    Ok(())
}

fn kill_while_committing(index: usize, dir: &Path) -> Result<()> {
    let mut child = Command::new(env::current_exe()?)
        .args(["commit-until-killed", &index.to_string()])
        .arg(dir)
        .stdout(Stdio::null())
        .spawn()?;
    thread::sleep(Duration::from_secs(5));
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn print(stored: &[Stored], figures: &mut [Figures]) {
    let line = |name: &str, cell: &dyn Fn(usize) -> String| {
        println!("| {name} | {} |", (0..Kind::ALL.len()).map(cell).collect::<Vec<_>>().join(" | "));
    };
    line("", &|index| Kind::ALL[index].name().to_owned());
    println!("|---|{}", "---|".repeat(Kind::ALL.len()));
    let medians: Vec<_> = figures.iter_mut().map(Figures::medians).collect();
    let thousands = |rate: f64| format!("{:.0}k", rate / 1000.0);
    let millis = |time: f64| format!("{:.1} ms", time * 1000.0);
    for (index, threads) in measure::READERS.iter().enumerate() {
        line(&format!("reads/s, {threads} threads"), &|engine| thousands(medians[engine].reads_alone[index]));
    }
    for (index, threads) in measure::READERS.iter().enumerate() {
        line(&format!("reads/s, {threads} threads, while blocks are written"), &|engine| {
            thousands(medians[engine].reads_beside[index])
        });
    }
    line("commit of a block beside readers, median", &|engine| millis(medians[engine].commit));
    line("the same, 95th percentile", &|engine| millis(medians[engine].commit_slow));
    for (index, blocks) in measure::BATCHES.iter().enumerate() {
        line(&format!("commit of {blocks} blocks, nobody reading, a block"), &|engine| {
            millis(medians[engine].commits_alone[index])
        });
    }
    line("processor time of a read", &|engine| format!("{:.1} us", medians[engine].processor_read));
    for (index, blocks) in measure::BATCHES.iter().enumerate() {
        line(&format!("processor time of a block, {blocks} in a commit"), &|engine| {
            millis(medians[engine].processor[index])
        });
    }
    for (index, blocks) in measure::BATCHES.iter().enumerate() {
        line(&format!("written to disk a block, {blocks} in a commit"), &|engine| {
            format!("{:.1} MiB", medians[engine].written[index] / f64::from(1 << 20))
        });
    }
    line("opening after kill -9", &|engine| millis(medians[engine].open_after_kill));
    line("loading 3.9 million rows", &|engine| format!("{:.0} s", stored[engine].load.as_secs_f64()));
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    line("size after loading", &|engine| mib(stored[engine].bytes));
    line("size after the blocks", &|engine| mib(stored[engine].bytes_after));
    line("blocks written", &|engine| figures[engine].commits.len().to_string());
}
