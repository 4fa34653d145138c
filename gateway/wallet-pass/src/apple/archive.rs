//! The files of a pass: their manifest and the ZIP around them.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use data_encoding::HEXLOWER;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// `manifest.json`: the SHA-1 of each file, by name.
pub(super) fn manifest(files: &[(&str, &[u8])]) -> serde_json::Result<Vec<u8>> {
    let hashes: BTreeMap<&str, String> = files
        .iter()
        .map(|(name, bytes)| {
            let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
            (*name, HEXLOWER.encode(hash.as_ref()))
        })
        .collect();
    serde_json::to_vec(&hashes)
}

/// The files in this order, uncompressed: pictures do not shrink and the rest is small. Always the same date and system,
/// so that the same files are the same archive.
pub(super) fn zip(files: &[(&str, &[u8])]) -> ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, options)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}
