use crate::failure::Failure;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// How much is gathered before it is written to a file.
const BUFFER: usize = 1 << 20;

/// A folder that is written to.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

/// A file in it, under construction.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl Folder {
    /// A folder for a whole chain. It is made if it is not there, and must be empty otherwise.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error| cannot("write to", path, &error);
        fs::create_dir_all(path).map_err(failed)?;
        if fs::read_dir(path).map_err(failed)?.next().is_some() {
            return Err(Failure::Input(format!(
                "{} is not empty; name a folder that is empty or does not exist",
                path.display()
            )));
        }
        Ok(Self(path.to_owned()))
    }

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
    Failure::Input(format!("cannot {what} {}: {error}", path.display()))
}
