use crate::failure::Failure;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that can be written. What it held stays until then.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    file: File,
}

impl Output {
    /// Opens a file, or makes it.
    pub(super) fn file(path: &Path) -> Result<Self, Failure> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| cannot_write(path, &error))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Replaces what the file holds.
    pub(super) fn write(
        self,
        content: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let write = || {
            self.file.set_len(0)?;
            let mut out = BufWriter::new(self.file);
            content(&mut out)?;
            out.flush()
        };
        write().map_err(|error| cannot_write(&self.path, &error))
    }
}

pub(super) fn cannot_write(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Input(format!("{} cannot be written: {error}", path.display()))
}
