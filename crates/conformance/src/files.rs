use std::io;
use std::path::{Path, PathBuf};

/// All JSON files at or below `paths`, each once, in order of their paths. Hidden folders (such as `.meta`, which holds
/// an index) are left out below a path, but not as a path.
///
/// # Errors
///
/// With the path that cannot be read.
pub fn find_tests(paths: &[PathBuf]) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut files = Vec::new();
    for path in paths {
        let found = if path.is_dir() { search(path, &mut files) } else { path.metadata().map(drop) };
        found.map_err(|error| (path.clone(), error))?;
        if path.is_file() {
            files.push(path.clone());
        }
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn search(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")) {
            continue;
        }
        if path.is_dir() {
            search(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    Ok(())
}
