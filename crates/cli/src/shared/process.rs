//! The operating system's figures of this process. Memory and sleeps are known on Linux, processor time on Unix.

use std::time::Duration;

/// The most memory that the process has held so far, in bytes.
pub(crate) fn peak_memory() -> Option<u64> {
    status("VmHWM:")
}

/// The memory that the process holds now, in bytes.
pub(crate) fn resident_memory() -> Option<u64> {
    status("VmRSS:")
}

fn status(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

/// The processor time that the process's threads have taken so far, in user and in system mode.
#[cfg(unix)]
pub(crate) fn processor_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).ok()
}

/// The processor time that the process's threads have taken so far.
#[cfg(not(unix))]
pub(crate) fn processor_time() -> Option<Duration> {
    None
}

/// How often the process's threads have gone to sleep so far: for a lock, for work, in a read.
pub(crate) fn sleeps() -> Option<u64> {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let status = std::fs::read_to_string(task.ok()?.path().join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        sum += line.trim().parse::<u64>().ok()?;
    }
    Some(sum)
}
