use super::error::ImportError;
use super::incoming::Reader;
use super::options::ImportOptions;
use super::report::Stages;
use super::report::{ImportReport, Imported};
use super::roots::{Done, Roots};
use super::segment::View;
use super::tip::header_chain;
use super::writer::Writer;
use parking_lot::RwLock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;
use tandem_evm::{Config, Executor};
use tandem_state::database::Database;

/// The state that all stages share.
pub(super) struct Import<'a> {
    pub(super) executor: Executor,
    pub(super) options: &'a ImportOptions,
    pub(super) stages: Arc<Stages>,
    pub(super) writer: Writer<'a>,
    pub(super) view: RwLock<View>,
    pub(super) progress: &'a (dyn Fn(Imported) + Sync),
}

/// Adds the blocks of the files to the chain in the database. See the [module's documentation](mod@crate::import).
///
/// `progress` hears of each block that has passed all checks, on any thread. The report covers what was done before an
/// error, too.
pub fn import(
    database: &Database,
    files: Vec<PathBuf>,
    options: &ImportOptions,
    progress: &(dyn Fn(Imported) + Sync),
) -> (ImportReport, Result<(), ImportError>) {
    let start = Instant::now();
    let mut report = ImportReport::default();
    let result = run(database, files, options, progress, &mut report);
    report.time = start.elapsed();
    (report, result)
}

fn run(
    database: &Database,
    files: Vec<PathBuf>,
    options: &ImportOptions,
    progress: &(dyn Fn(Imported) + Sync),
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    let stages = Arc::new(Stages::default());
    let start = database.snapshot()?;
    let mut import = Import {
        executor: Executor::new(&Config::default().threads(options.workers()).timing(true))?,
        options,
        stages: stages.clone(),
        writer: Writer::new(database, start.clone(), &stages),
        view: RwLock::new(View::new(start.clone(), options)),
        progress,
    };
    let mut roots = Roots::new(start.clone(), options)?;
    let mut reader = Reader::new(files, header_chain(&start)?, database, stages.clone());
    drop(start);
    let result = if options.serial {
        import.one_by_one(&mut reader, &mut roots, report)
    } else {
        import.overlapped(&mut reader, &mut roots, report)
    };
    report.known = reader.skipped;
    report.cache = import.view.get_mut().cache_stats();
    let rest = import.commit_rest(database, roots, &result);
    let Done { blocks, transactions, gas } = import.writer.committed().done;
    (report.blocks, report.transactions, report.gas) = (blocks, transactions, gas);
    report.stages = stages.times();
    result.and(rest)
}

impl Import<'_> {
    /// Commits the good blocks that are left at the end, or before a bad one.
    fn commit_rest(
        &self,
        database: &Database,
        mut roots: Roots,
        result: &Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        if matches!(result, Err(ImportError::Database(_))) {
            return Ok(());
        }
        let threads = self.executor.background();
        let pending = threads.run(|| {
            self.stages
                .roots
                .time(|| if roots.is_usable() { Ok(roots.batch()) } else { roots.rescue(database) })
        })?;
        pending.map_or(Ok(()), |pending| self.writer.commit(&pending))
    }
}
