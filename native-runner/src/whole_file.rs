//! Files that are written whole or not at all.

use std::{fs::Permissions, io::Write, os::unix::fs::PermissionsExt, path::Path};

use tempfile::Builder;

/// Writes `contents` beside `path` first, and then moves them there.
pub fn write(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let attempt = || -> std::io::Result<()> {
        // Readable as any other new file is: the umask takes its share.
        let mode = Permissions::from_mode(0o666);
        let mut file = Builder::new().permissions(mode).tempfile_in(folder)?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    };
    // A path that cannot be written is a wrong argument, not an inability of this machine.
    attempt().map_err(|error| anyhow::anyhow!("{} cannot be written: {error}", path.display()))
}
