//! Tiny block directories to break.
#![allow(clippy::unwrap_used)]

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_primitives::{Address, B256, Bytes, address, keccak256};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// An account with the code 0x6001 and the value 3 in slot 2.
pub(crate) const ACCOUNT: Address = address!("00000000000000000000000000000000000000aa");

/// A folder with a pool of codes, removed with the value.
pub(crate) struct TinyFolder(TempDir);

impl TinyFolder {
    pub(crate) fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.write_codes(&[(keccak256([0x60, 0x01]), &[0x60, 0x01])]);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write_codes(&self, codes: &[(B256, &[u8])]) {
        let codes: BTreeMap<_, _> =
            codes.iter().map(|(hash, code)| (hash, Bytes::copy_from_slice(code))).collect();
        let text = serde_json::to_vec(&codes).unwrap();
        fs::write(self.path().join("codes.json.zst"), zstd::encode_all(text.as_slice(), 0).unwrap()).unwrap();
    }

    /// Writes an empty block whose number is the last part of `name`, or 0 where that is no number.
    pub(crate) fn add_block(&self, name: &str) -> PathBuf {
        let dir = self.path().join(name);
        fs::create_dir(&dir).unwrap();
        let number = name.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let header = Header { number, ommers_hash: EMPTY_OMMER_ROOT_HASH, ..Header::default() };
        let mut block = serde_json::to_value(&header).unwrap();
        block["hash"] = header.hash_slow().to_string().into();
        block["uncles"] = json!([]);
        block["transactions"] = json!([]);
        write_gzip(&dir.join("block.json.gz"), block.to_string().as_bytes());

        let pre_state = json!({
            ACCOUNT.to_string().to_lowercase(): {
                "balance": "0x10",
                "nonce": "0x1",
                "codeHash": keccak256([0x60, 0x01]),
                "storage": { word(2): word(3), word(4): word(0) },
            },
            "0x00000000000000000000000000000000000000bb": { "balance": "0x0", "nonce": "0x0", "storage": {} },
        });
        write_gzip(&dir.join("pre_state.json.gz"), pre_state.to_string().as_bytes());
        let hashes = json!({ "0x6": B256::repeat_byte(0x66) });
        fs::write(dir.join("block_hashes.json"), hashes.to_string()).unwrap();
        dir
    }

    /// Writes a block anew, as [`Self::add_block`] wrote it but for the edit; earlier edits are undone.
    pub(crate) fn edit_block(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let dir = self.path().join(name);
        let pristine = dir.join("pristine");
        if !pristine.exists() {
            fs::copy(dir.join("block.json.gz"), &pristine).unwrap();
        }
        let mut text = String::new();
        flate2::read::GzDecoder::new(fs::File::open(pristine).unwrap()).read_to_string(&mut text).unwrap();
        let mut block: Value = serde_json::from_str(&text).unwrap();
        edit(&mut block);
        write_gzip(&dir.join("block.json.gz"), block.to_string().as_bytes());
    }
}

pub(crate) fn write_gzip(file: &Path, text: &[u8]) {
    let mut encoder = GzEncoder::new(fs::File::create(file).unwrap(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap();
}

fn word(value: u8) -> String {
    B256::with_last_byte(value).to_string()
}
