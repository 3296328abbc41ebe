//! Zip archives that tell the truth about their size.

use std::io::Cursor;
use std::io::Read;

use zip::ZipArchive;

use crate::knowledge::import::ImportError;

/// Bytes of all files of an archive together, unpacked.
const UNPACKED_MAX: u64 = 512 << 20;

/// Files of an archive.
const FILES_MAX: usize = 20_000;

/// Unpacks an archive into nothing, and counts: what it says of its sizes may be a lie.
pub(super) fn check(name: &str, bytes: &[u8]) -> Result<(), ImportError> {
    let mut archive = open(name, bytes)?;
    if archive.len() > FILES_MAX {
        let detail = format!("压缩包里有 {} 个文件，超过上限 {FILES_MAX} 个", archive.len());
        return Err(ImportError::Damaged { name: name.to_owned(), detail });
    }
    let mut left = UNPACKED_MAX;
    for at in 0..archive.len() {
        let file = archive.by_index(at).map_err(|error| damaged(name, &error))?;
        let n = std::io::copy(&mut file.take(left + 1), &mut std::io::sink())
            .map_err(|error| damaged(name, &error))?;
        left = left
            .checked_sub(n)
            .ok_or_else(|| ImportError::Bomb { name: name.to_owned(), limit: UNPACKED_MAX })?;
    }
    Ok(())
}

/// One file of an archive that was checked.
pub(super) fn file(name: &str, bytes: &[u8], path: &str) -> Result<Vec<u8>, ImportError> {
    let mut content = Vec::new();
    open(name, bytes)?
        .by_name(path)
        .map_err(|error| damaged(name, &error))?
        .take(UNPACKED_MAX)
        .read_to_end(&mut content)
        .map_err(|error| damaged(name, &error))?;
    Ok(content)
}

fn open<'b>(name: &str, bytes: &'b [u8]) -> Result<ZipArchive<Cursor<&'b [u8]>>, ImportError> {
    ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(name, &error))
}

fn damaged(name: &str, error: &dyn std::error::Error) -> ImportError {
    ImportError::Damaged { name: name.to_owned(), detail: error.to_string() }
}
