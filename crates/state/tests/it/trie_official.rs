//! The official trie tests, through the incremental trie: in one batch, in several with hashes in between, and key by key.
#![allow(clippy::unwrap_used)]

use alloy_primitives::{B256, hex, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use tandem_state::trie::{NoSource, SparseTrie};

/// The folder of the official trie tests, unpacked if need be, or `None` where there are none and that is allowed.
fn official_tests() -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packed = repository.join("../shared/ethereum-tests");
    if !packed.is_dir() {
        let absent = format!("there are no official tests at {}", packed.display());
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{absent}, and CI must not pass without them");
        println!("skipped: {absent}");
        return None;
    }
    let target = repository.join("target/ethereum-tests");
    static UNPACKING: Mutex<()> = Mutex::new(());
    let _alone = UNPACKING.lock();
    let unpacked = Command::new(packed.join("unpack")).arg(&target).output().unwrap();
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    Some(target.join("TrieTests"))
}

#[derive(Deserialize)]
struct TrieTest {
    #[serde(rename = "in")]
    input: Value,
    root: B256,
}

type Entry = (Nibbles, Option<Vec<u8>>);

impl TrieTest {
    /// The entries in the order in which they are to be set, and whether that order matters.
    fn entries(&self, secure: bool) -> (Vec<Entry>, bool) {
        let key = |text: &str| {
            let key = bytes(text);
            if secure { Nibbles::unpack(keccak256(key)) } else { Nibbles::unpack(key) }
        };
        let value = |value: &Value| value.as_str().map(bytes);
        match &self.input {
            Value::Array(list) => {
                let entry = |pair: &Value| (key(pair[0].as_str().unwrap()), value(&pair[1]));
                (list.iter().map(entry).collect(), true)
            }
            Value::Object(map) => (map.iter().map(|(text, set)| (key(text), value(set))).collect(), false),
            other => panic!("neither a list nor an object: {other}"),
        }
    }
}

fn bytes(text: &str) -> Vec<u8> {
    text.strip_prefix("0x").map_or_else(|| text.into(), |digits| hex::decode(digits).unwrap())
}

/// Sets the entries in batches of `size` and returns the root, asked for after each batch if `hashed`.
fn root(entries: &[Entry], size: usize, hashed: bool) -> B256 {
    let mut trie = SparseTrie::new(None, EMPTY_ROOT_HASH);
    for batch in entries.chunks(size) {
        trie.update(batch.to_vec(), &NoSource, 1).unwrap();
        if hashed {
            trie.root();
        }
    }
    let mut expected = BTreeMap::new();
    for (key, value) in entries {
        expected.insert(*key, value.clone());
    }
    for (key, value) in expected {
        assert_eq!(trie.get(&key, &NoSource).unwrap(), value, "{key:?}");
    }
    trie.root()
}

#[test]
fn the_official_trie_tests_pass() {
    let Some(folder) = official_tests() else { return };
    let mut count = 0;
    for (file, secure) in [
        ("trietest.json", false),
        ("trietest_secureTrie.json", true),
        ("trieanyorder.json", false),
        ("trieanyorder_secureTrie.json", true),
        ("hex_encoded_securetrie_test.json", true),
    ] {
        let text = std::fs::read(folder.join(file)).unwrap();
        let tests: BTreeMap<String, TrieTest> = serde_json::from_slice(&text).unwrap();
        assert!(!tests.is_empty());
        for (name, test) in tests {
            let (mut entries, ordered) = test.entries(secure);
            // Where the order does not matter, every rotation of it, and its reverse, has to do.
            let orders = if ordered { 1 } else { entries.len() };
            for order in 0..orders {
                for size in 1..=entries.len() {
                    for hashed in [false, true] {
                        let root = root(&entries, size, hashed);
                        assert_eq!(root, test.root, "{file}: {name}, order {order}, batches of {size}");
                    }
                }
                entries.rotate_left(1);
                if order % 2 == 0 && !ordered {
                    entries.reverse();
                }
            }
            count += 1;
        }
    }
    assert_eq!(count, 25);
}

/// `trietestnextprev.json` asks for a key's neighbours among sorted keys. The trie has no such question; it must
/// tell these keys, some of them prefixes of others, apart.
#[test]
fn keys_of_the_neighbour_tests_are_told_apart() {
    let Some(folder) = official_tests() else { return };
    let text = std::fs::read(folder.join("trietestnextprev.json")).unwrap();
    let tests: BTreeMap<String, Value> = serde_json::from_slice(&text).unwrap();
    for (name, test) in tests {
        let words = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
        };
        let present = words(&test["in"]);
        let entries = present.iter().map(|word| (Nibbles::unpack(word), Some(word)));
        let mut trie = SparseTrie::new(None, EMPTY_ROOT_HASH);
        trie.update(entries, &NoSource, 1).unwrap();
        let questions = test["tests"].as_array().unwrap();
        assert!(!questions.is_empty());
        for question in questions {
            let word = words(question).swap_remove(0);
            let expected = present.contains(&word).then(|| word.clone().into_bytes());
            assert_eq!(trie.get(&Nibbles::unpack(&word), &NoSource).unwrap(), expected, "{name}: {word:?}");
        }
    }
}
