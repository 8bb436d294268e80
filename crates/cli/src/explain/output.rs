use crate::shared::failure::Failure;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use tempfile::NamedTempFile;

/// Where something can be written, once there is something. Until then no file is made, and none is touched.
#[derive(Debug)]
pub(super) struct Output {
    /// Without symbolic links at its end.
    path: PathBuf,
    /// The present object at the path, if it is neither a file nor to become one: a device, a pipe.
    other: Option<File>,
}

/// A file that is complete, and not yet in its place. It goes away unless it is put there.
#[derive(Debug)]
pub(super) struct Written<'a> {
    path: &'a Path,
    /// `None` if it was written in place.
    file: Option<NamedTempFile>,
}

impl Output {
    /// Checks that a file can be written. Folders above it that are missing are made with it.
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| cannot_write(path, &error);
        let found = fs::metadata(path).ok();
        let names_folder = path.as_os_str().to_string_lossy().ends_with(MAIN_SEPARATOR);
        if names_folder || path.file_name().is_none() || found.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(cannot_write(path, &"it is no file"));
        }
        let Some(found) = found else {
            let mut folders = path.ancestors().skip(1).map(or_here);
            let folder = folders.find(|folder| folder.exists()).unwrap_or(or_here(Path::new("")));
            temporary(folder).and_then(NamedTempFile::close).map_err(failed)?;
            return Ok(Self { path: path.to_owned(), other: None });
        };
        let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        if !found.is_file() {
            return Ok(Self { path, other: Some(file) });
        }
        temporary(folder(&path)).and_then(NamedTempFile::close).map_err(failed)?;
        Ok(Self { path, other: None })
    }

    /// Writes all of the content, beside where it is to be.
    pub(super) fn write(
        &self,
        content: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
    ) -> Result<Written<'_>, Failure> {
        let fill = |file: &File| {
            let mut out = BufWriter::new(file);
            content(&mut out)?;
            out.flush()
        };
        let write = || match &self.other {
            Some(file) => fill(file).map(|()| None),
            None => {
                fs::create_dir_all(folder(&self.path))?;
                let file = temporary(folder(&self.path))?;
                fill(file.as_file())?;
                Ok(Some(file))
            }
        };
        let file = write().map_err(|error| cannot_write(&self.path, &error))?;
        Ok(Written { path: &self.path, file })
    }
}

impl Written<'_> {
    /// Puts the file into its place.
    pub(super) fn keep(self) -> Result<(), Failure> {
        let kept = self.file.map_or(Ok(()), |file| file.persist(self.path).map(drop));
        kept.map_err(|error| cannot_write(self.path, &error.error))
    }
}

/// The folder that a file is in.
fn folder(path: &Path) -> &Path {
    or_here(path.parent().unwrap_or(path))
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str() == OsStr::new("") { Path::new(".") } else { folder }
}

/// A file with the rights of any new file, which goes away unless it is kept.
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tandem-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn cannot_write(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::Input(format!("{} cannot be written: {error}", path.display()))
}
