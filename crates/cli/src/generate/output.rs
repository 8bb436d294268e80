use crate::shared::failure::Failure;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// How much is gathered before it is written to a file.
const BUFFER: usize = 1 << 20;

/// Where everything is written until all of it is there.
const UNFINISHED: &str = "unfinished";

/// A folder that is written to.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

/// A folder for a whole chain, in which nothing has its place before everything is there.
#[derive(Debug)]
pub(super) struct Destination {
    path: PathBuf,
    unfinished: Folder,
}

impl Destination {
    /// The folder is made if it is not there, and must be empty otherwise, but for the rest of an interrupted command.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error| cannot("write to", path, &error);
        fs::create_dir_all(path).map_err(failed)?;
        let unfinished = path.join(UNFINISHED);
        for entry in fs::read_dir(path).map_err(failed)? {
            if entry.map_err(failed)?.path() != unfinished {
                return Err(Failure::Input(format!(
                    "{} is not empty; name a folder that is empty or does not exist",
                    path.display()
                )));
            }
        }
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(failed)?;
        }
        let unfinished = Folder(path.to_owned()).create(UNFINISHED)?;
        Ok(Self { path: path.to_owned(), unfinished })
    }

    /// Where to write.
    pub(super) fn folder(&self) -> &Folder {
        &self.unfinished
    }

    /// Moves everything to its place, `last` after all others: without it nothing is of use.
    pub(super) fn finish(self, last: &str) -> Result<(), Failure> {
        let from = &self.unfinished.0;
        let failed = |error| cannot("write to", &self.path, &error);
        let rename = |name: &OsStr| fs::rename(from.join(name), self.path.join(name)).map_err(failed);
        let names: Result<Vec<_>, _> =
            fs::read_dir(from).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
        for name in names.map_err(failed)?.iter().filter(|name| *name != last) {
            rename(name)?;
        }
        rename(OsStr::new(last))?;
        fs::remove_dir(from).map_err(failed)
    }
}

/// A file in it, under construction.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl Folder {
    /// A new folder in this one.
    pub(super) fn create(&self, name: &str) -> Result<Self, Failure> {
        let path = self.0.join(name);
        fs::create_dir(&path).map_err(|error| cannot("create", &path, &error))?;
        Ok(Self(path))
    }

    /// A new file, to be written piece by piece.
    pub(super) fn file(&self, name: &str) -> Result<OutputFile, Failure> {
        let path = self.0.join(name);
        let file = File::create_new(&path).map_err(|error| cannot("create", &path, &error))?;
        Ok(OutputFile { path, writer: BufWriter::with_capacity(BUFFER, file) })
    }

    /// A new file with this content.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<(), Failure> {
        let mut file = self.file(name)?;
        file.write(|writer| writer.write_all(content))?;
        file.finish()?;
        Ok(())
    }
}

impl OutputFile {
    /// Writes more.
    pub(super) fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        write(&mut self.writer).map_err(|error| cannot("write", &self.path, &error))
    }

    /// Completes the file. Returns its length in bytes.
    pub(super) fn finish(mut self) -> Result<u64, Failure> {
        let length = self.writer.flush().and_then(|()| self.writer.get_ref().metadata());
        length.map(|metadata| metadata.len()).map_err(|error| cannot("write", &self.path, &error))
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Failure {
    if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
        return Failure::fault(format!("cannot {what} {}: {error}; free some space", path.display()));
    }
    Failure::Input(format!("cannot {what} {}: {error}", path.display()))
}
