//! Reading the recorded blocks: values from good ones, errors for bad ones.

use crate::common::{ACCOUNT, TinyFolder};
use alloy_consensus::{Signed, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, Signature, U256, address, keccak256};
use std::{fs, path::PathBuf};
use tandem_state::{
    Store,
    fixture::{Codes, FixtureError, Loader, codes_path, discover},
};

#[test]
fn a_block_directory_is_read_whole() {
    let folder = TinyFolder::new();
    let dir = folder.add_block("5-7");
    let fixture = Loader::new().load(&dir).unwrap();

    assert_eq!((fixture.name.as_str(), fixture.chain_id, fixture.number), ("5-7", 5, 7));
    assert_eq!(fixture.inconsistencies(), [""; 0]);
    assert_eq!(fixture.header.number, 7);
    assert_eq!(fixture.transactions.len(), 0);
    assert_eq!(fixture.withdrawals, None);
    assert!(!fixture.witness);

    let account = fixture.state.account(ACCOUNT).unwrap().unwrap();
    assert_eq!((account.balance, account.nonce), (U256::from(16), 1));
    assert_eq!(account.code_hash, keccak256([0x60, 0x01]));
    assert_eq!(fixture.state.code(account.code_hash).unwrap(), Bytes::from(vec![0x60, 0x01]));
    assert_eq!(fixture.state.storage(ACCOUNT, U256::from(2)).unwrap(), U256::from(3));
    assert_eq!(fixture.state.block_hash(6).unwrap(), B256::repeat_byte(0x66));

    let plain = fixture.state.account(address!("00000000000000000000000000000000000000bb")).unwrap().unwrap();
    assert_eq!(plain.code_hash, KECCAK256_EMPTY);
    assert_eq!(fixture.state.account(Address::ZERO).unwrap(), None);
}

#[test]
fn a_witness_is_noticed() {
    let folder = TinyFolder::new();
    let dir = folder.add_block("5-7");
    fs::write(dir.join("witness.json.gz"), []).unwrap();
    assert!(Loader::new().load(&dir).unwrap().witness);
}

#[test]
fn blocks_of_a_folder_come_in_numeric_order_and_arguments_in_theirs() {
    let folder = TinyFolder::new();
    let names = ["10-1", "2-100", "2-9", "1-30"];
    let dirs = names.map(|name| folder.add_block(name));
    fs::create_dir(folder.path().join("notes")).unwrap();

    let found = discover(&[dirs[0].clone(), folder.path().to_owned()]).unwrap();
    let found: Vec<_> = found.iter().map(|dir| dir.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(found, ["10-1", "1-30", "2-9", "2-100", "10-1"]);
    assert_eq!(discover(&[]).unwrap(), Vec::<PathBuf>::new());
}

#[test]
fn the_pool_in_the_block_directory_goes_before_that_of_the_folder() {
    let folder = TinyFolder::new();
    let dir = folder.add_block("5-7");
    assert_eq!(codes_path(&dir), folder.path().join("codes.json.zst"));
    fs::copy(folder.path().join("codes.json.zst"), dir.join("codes.json.zst")).unwrap();
    assert_eq!(codes_path(&dir), dir.join("codes.json.zst"));
}

#[test]
fn blocks_of_one_folder_share_their_codes() {
    let folder = TinyFolder::new();
    let dirs = [folder.add_block("5-7"), folder.add_block("5-8")];
    let mut loader = Loader::new();
    loader.load(&dirs[0]).unwrap();
    // The second block needs no second look at the file.
    fs::write(folder.path().join("codes.json.zst"), []).unwrap();
    loader.load(&dirs[1]).unwrap();
}

#[test]
fn altered_values_are_named_and_not_refused() {
    let folder = TinyFolder::new();
    let dir = folder.add_block("5-7");
    for (field, value, named) in [
        ("receiptsRoot", format!("{}", B256::repeat_byte(1)), &["hash"][..]),
        ("number", "0x8".to_owned(), &["number", "hash"]),
        ("transactionsRoot", format!("{}", B256::repeat_byte(1)), &["hash", "transactionsRoot"]),
        ("withdrawalsRoot", format!("{}", B256::repeat_byte(1)), &["hash", "withdrawalsRoot"]),
    ] {
        folder.edit_block("5-7", |block| block[field] = value.into());
        assert_eq!(Loader::new().load(&dir).unwrap().inconsistencies(), named, "{field}");
    }
}

#[test]
fn a_transaction_with_the_hash_of_another_is_noticed() {
    let folder = TinyFolder::new();
    let mut fixture = Loader::new().load(&folder.add_block("5-7")).unwrap();
    let (transaction, signature) = (TxLegacy::default(), Signature::test_signature());
    fixture.transactions.push(Signed::new_unhashed(transaction.clone(), signature).into());
    assert_eq!(fixture.inconsistencies(), ["transactionsRoot"]);
    fixture.transactions[0] = Signed::new_unchecked(transaction, signature, B256::ZERO).into();
    assert_eq!(fixture.inconsistencies(), ["transactions", "transactionsRoot"]);
}

#[test]
fn a_path_that_does_not_end_in_the_name_is_resolved() {
    let folder = TinyFolder::new();
    let dir = folder.add_block("5-7").join("sub");
    fs::create_dir(&dir).unwrap();
    let found = discover(&[dir.join("..")]).unwrap();
    assert_eq!(Loader::new().load(&found[0]).unwrap().name, "5-7");
}

#[test]
fn a_missing_path_is_named() {
    let folder = TinyFolder::new();
    let path = folder.path().join("absent");
    for error in [discover(std::slice::from_ref(&path)).unwrap_err(), Loader::new().load(&path).unwrap_err()]
    {
        assert!(matches!(&error, FixtureError::Missing { path: named, .. } if *named == path), "{error}");
        assert!(error.to_string().contains("absent does not exist; expected a block directory"), "{error}");
    }
}

#[test]
fn a_file_is_no_place_for_blocks() {
    let folder = TinyFolder::new();
    let path = folder.path().join("codes.json.zst");
    for error in [discover(std::slice::from_ref(&path)).unwrap_err(), Loader::new().load(&path).unwrap_err()]
    {
        assert!(matches!(&error, FixtureError::NotADirectory { path: named } if *named == path), "{error}");
    }
}

#[test]
fn a_directory_without_blocks_is_told_what_belongs_there() {
    let folder = TinyFolder::new();
    let error = discover(&[folder.path().to_owned()]).unwrap_err();
    assert!(matches!(error, FixtureError::NoBlocks { .. }), "{error}");
    assert!(error.to_string().contains("expected a block.json.gz in it"), "{error}");
}

#[test]
fn a_block_without_its_block_file_is_not_passed_over() {
    let folder = TinyFolder::new();
    folder.add_block("5-7");
    let dir = folder.add_block("5-8");
    fs::remove_file(dir.join("block.json.gz")).unwrap();
    let error = discover(&[folder.path().to_owned()]).unwrap_err();
    let file = dir.join("block.json.gz");
    assert!(matches!(&error, FixtureError::Missing { path, .. } if *path == file), "{error}");
}

#[test]
fn each_file_of_a_block_is_required() {
    for name in ["block.json.gz", "pre_state.json.gz", "block_hashes.json", "../codes.json.zst"] {
        let folder = TinyFolder::new();
        let dir = folder.add_block("5-7");
        fs::remove_file(dir.join(name)).unwrap();
        let error = Loader::new().load(&dir).unwrap_err();
        assert!(matches!(error, FixtureError::Missing { .. }), "{error}");
        assert!(error.to_string().contains(name.trim_start_matches("../")), "{error}");
    }
}

#[test]
fn a_directory_name_that_is_no_block_is_refused() {
    let folder = TinyFolder::new();
    for name in ["latest", "1-latest", "1-0x10"] {
        let dir = folder.add_block(name);
        for error in [
            discover(std::slice::from_ref(&dir)).unwrap_err(),
            discover(&[folder.path().to_owned()]).unwrap_err(),
            Loader::new().load(&dir).unwrap_err(),
        ] {
            assert!(matches!(&error, FixtureError::BadName { path } if *path == dir), "{error}");
        }
        fs::remove_dir_all(dir).unwrap();
    }
}

#[test]
fn a_truncated_or_foreign_gzip_is_told_apart_from_wrong_json() {
    for name in ["block.json.gz", "pre_state.json.gz"] {
        let folder = TinyFolder::new();
        let dir = folder.add_block("5-7");
        let file = dir.join(name);
        let whole = fs::read(&file).unwrap();
        let contents = [&whole[..whole.len() - 9], &whole[..whole.len() / 2], &whole[..3], b"{}", b""];
        for content in contents {
            fs::write(&file, content).unwrap();
            let error = Loader::new().load(&dir).unwrap_err();
            assert!(matches!(&error, FixtureError::BadGzip { file: named, .. } if *named == file), "{error}");
            assert!(error.to_string().contains("truncated or is not gzip"), "{error}");
        }
    }
}

#[test]
fn a_truncated_or_foreign_pool_is_refused() {
    let folder = TinyFolder::new();
    let file = folder.path().join("codes.json.zst");
    let whole = fs::read(&file).unwrap();
    for content in [&whole[..whole.len() - 1], &whole[..2], b"{}", b""] {
        fs::write(&file, content).unwrap();
        let error = Codes::load(&file).unwrap_err();
        assert!(matches!(&error, FixtureError::BadZstd { file: named, .. } if *named == file), "{error}");
    }
}

#[test]
fn json_of_the_wrong_shape_is_located() {
    let folder = TinyFolder::new();
    let dir = folder.add_block("5-7");
    let pre_state = dir.join("pre_state.json.gz");
    for (text, at, says) in [
        ("{", (1, 1), "EOF"),
        ("[]", (1, 0), "map"),
        ("{\n \"0x12\": {}}", (2, 7), "length"),
        ("{\"0x00000000000000000000000000000000000000aa\":\n{\"balance\":\"0x1\"}}", (2, 17), "nonce"),
        (
            "{\"0x00000000000000000000000000000000000000aa\":\n{\"balance\":\"0x1\",\"nonce\":\"0x0\",\"code\":\"\"}}",
            (2, 37),
            "unknown field `code`",
        ),
    ] {
        crate::common::write_gzip(&pre_state, text.as_bytes());
        let error = Loader::new().load(&dir).unwrap_err();
        let FixtureError::Json { file, line, column, message } = &error else { panic!("{error}") };
        assert_eq!((file, *line, *column), (&pre_state, at.0, at.1), "{error}");
        assert!(message.contains(says) && !message.contains("at line"), "{error}");
    }
}

#[test]
fn a_block_of_transaction_hashes_is_of_the_wrong_shape() {
    let folder = TinyFolder::new();
    let dir = folder.add_block("5-7");
    folder.edit_block("5-7", |block| block["transactions"] = vec![B256::ZERO.to_string()].into());
    let error = Loader::new().load(&dir).unwrap_err();
    assert!(matches!(&error, FixtureError::Json { line: 1, .. }), "{error}");
}

#[test]
fn a_block_without_a_header_field_is_of_the_wrong_shape() {
    let folder = TinyFolder::new();
    let dir = folder.add_block("5-7");
    folder.edit_block("5-7", |block| {
        block.as_object_mut().unwrap().remove("stateRoot");
    });
    let error = Loader::new().load(&dir).unwrap_err();
    assert!(matches!(&error, FixtureError::Json { message, .. } if message.contains("stateRoot")), "{error}");
}

#[test]
fn an_account_whose_code_is_not_in_the_pool_is_named() {
    let folder = TinyFolder::new();
    let dir = folder.add_block("5-7");
    folder.write_codes(&[]);
    let error = Loader::new().load(&dir).unwrap_err();
    let FixtureError::MissingCode { file, account, hash, codes } = &error else { panic!("{error}") };
    assert_eq!((*account, *hash), (ACCOUNT, keccak256([0x60, 0x01])));
    assert_eq!(*file, dir.join("pre_state.json.gz"));
    assert_eq!(*codes, folder.path().join("codes.json.zst"));
    for part in [account.to_string(), hash.to_string(), codes.display().to_string()] {
        assert!(error.to_string().contains(&part), "{error}");
    }
}

#[test]
fn a_code_under_a_wrong_hash_is_refused() {
    let folder = TinyFolder::new();
    let listed = B256::repeat_byte(7);
    folder.write_codes(&[(listed, &[0x60, 0x01])]);
    let error = Codes::load(&folder.path().join("codes.json.zst")).unwrap_err();
    let FixtureError::BadCode { listed: named, actual, .. } = error else { panic!("{error}") };
    assert_eq!((named, actual), (listed, keccak256([0x60, 0x01])));
}
