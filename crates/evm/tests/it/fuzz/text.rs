//! Cases as text, one thing a line. What a line leaves out has its default.

use crate::common::{Fork, Tx};
use crate::fuzz::case::{Case, CaseAccount, CaseBlock, CaseTx};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::str::FromStr;

const NOBODY: Address = Address::ZERO;

/// Appends ` name=value` unless the value is the default.
fn field<T: Display + PartialEq>(line: &mut String, name: &str, value: &T, default: &T) {
    if value != default {
        write!(line, " {name}={value}").unwrap();
    }
}

fn joined<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(",")
}

impl Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.quiet {
            writeln!(f, "quiet")?;
        }
        for CaseAccount { address, balance, nonce, code, storage } in &self.accounts {
            let mut line = format!("account {address}");
            field(&mut line, "balance", balance, &U256::ZERO);
            field(&mut line, "nonce", nonce, &0);
            field(&mut line, "code", code, &Bytes::new());
            let storage = joined(storage, |(slot, value)| format!("{slot}:{value}"));
            field(&mut line, "storage", &storage, &String::new());
            writeln!(f, "{line}")?;
        }
        for address in &self.absent {
            writeln!(f, "absent {address}")?;
        }
        for address in &self.slow {
            writeln!(f, "slow {address}")?;
        }
        self.blocks.iter().try_for_each(|block| write!(f, "{block}"))
    }
}

impl Display for CaseBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let default = Self::new(self.fork);
        let mut line = format!("block {:?}", self.fork);
        field(&mut line, "beneficiary", &self.beneficiary, &default.beneficiary);
        field(&mut line, "gas_limit", &self.gas_limit, &default.gas_limit);
        field(&mut line, "base_fee", &self.base_fee, &default.base_fee);
        field(&mut line, "excess_blob_gas", &self.excess_blob_gas, &default.excess_blob_gas);
        let withdrawals = joined(&self.withdrawals, |(address, gwei)| format!("{address}:{gwei}"));
        field(&mut line, "withdrawals", &withdrawals, &String::new());
        let ommers = joined(&self.ommers, |(depth, address)| format!("{depth}:{address}"));
        field(&mut line, "ommers", &ommers, &String::new());
        field(&mut line, "crowded", &self.crowded, &false);
        writeln!(f, "{line}")?;
        for CaseTx { tx, broken } in &self.transactions {
            let mut line = transaction(tx);
            field(&mut line, "broken", broken, &false);
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

fn transaction(tx: &Tx) -> String {
    let default = Tx::call(NOBODY, NOBODY);
    let mut line = format!("tx from={}", tx.from);
    if let TxKind::Call(to) = tx.to {
        write!(line, " to={to}").unwrap();
    }
    field(&mut line, "nonce", &tx.nonce.unwrap_or_default(), &0);
    field(&mut line, "value", &tx.value, &default.value);
    field(&mut line, "gas", &tx.gas, &default.gas);
    field(&mut line, "price", &tx.price, &default.price);
    field(&mut line, "tip", &tx.tip, &default.tip);
    field(&mut line, "type", &tx.ty, &default.ty);
    field(&mut line, "input", &tx.input, &default.input);
    field(&mut line, "blobs", &tx.blobs, &default.blobs);
    field(&mut line, "blob_price", &tx.blob_price, &default.blob_price);
    field(&mut line, "chain_id", &tx.chain_id, &default.chain_id);
    let access = joined(&tx.access_list.0, |item| {
        let slots = item.storage_keys.iter().map(|key| format!(":{}", U256::from_be_bytes(key.0)));
        format!("{}{}", item.address, slots.collect::<String>())
    });
    field(&mut line, "access", &access, &String::new());
    let authorizations = joined(&tx.authorizations, |signed| {
        let Authorization { chain_id, address, nonce } = signed.inner();
        format!("{address}:{nonce}:{chain_id}:{}:{}:{}", signed.y_parity(), signed.r(), signed.s())
    });
    field(&mut line, "authorizations", &authorizations, &String::new());
    line
}

/// The fields of one line.
struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Fields<'a> {
    fn new(parts: impl Iterator<Item = &'a str>) -> Self {
        Self(parts.map(|part| part.split_once('=').unwrap_or_else(|| panic!("no field: {part}"))).collect())
    }

    fn get<T: FromStr>(&mut self, name: &str, default: T) -> T {
        self.0.remove(name).map_or(default, parse)
    }

    fn list<T>(&mut self, name: &str, item: impl Fn(&[&str]) -> T) -> Vec<T> {
        let Some(text) = self.0.remove(name) else { return vec![] };
        text.split(',').map(|part| item(&part.split(':').collect::<Vec<_>>())).collect()
    }

    fn end(self) {
        assert!(self.0.is_empty(), "unknown fields: {:?}", self.0);
    }
}

fn parse<T: FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("cannot read {text}"))
}

fn fork(name: &str) -> Fork {
    let found = Fork::ALL.into_iter().find(|fork| format!("{fork:?}") == name);
    found.unwrap_or_else(|| panic!("no fork: {name}"))
}

/// Reads what a case's `Display` writes. Lines that begin with `#` are comments.
pub(crate) fn read(text: &str) -> Case {
    let mut case = Case { accounts: vec![], absent: vec![], slow: vec![], blocks: vec![], quiet: false };
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut parts = line.split(' ');
        let kind = parts.next().unwrap_or_default();
        match kind {
            "quiet" => case.quiet = true,
            "absent" => case.absent.extend(parts.map(parse::<Address>)),
            "slow" => case.slow.extend(parts.map(parse::<Address>)),
            "account" => {
                let address = parse(parts.next().unwrap_or_default());
                let mut fields = Fields::new(parts);
                case.accounts.push(CaseAccount {
                    address,
                    balance: fields.get("balance", U256::ZERO),
                    nonce: fields.get("nonce", 0),
                    code: fields.get("code", Bytes::new()),
                    storage: fields.list("storage", |parts| (parse(parts[0]), parse(parts[1]))),
                });
                fields.end();
            }
            "block" => {
                let new = CaseBlock::new(fork(parts.next().unwrap_or_default()));
                let mut fields = Fields::new(parts);
                case.blocks.push(CaseBlock {
                    beneficiary: fields.get("beneficiary", new.beneficiary),
                    gas_limit: fields.get("gas_limit", new.gas_limit),
                    base_fee: fields.get("base_fee", new.base_fee),
                    excess_blob_gas: fields.get("excess_blob_gas", new.excess_blob_gas),
                    withdrawals: fields.list("withdrawals", |parts| (parse(parts[0]), parse(parts[1]))),
                    ommers: fields.list("ommers", |parts| (parse(parts[0]), parse(parts[1]))),
                    transactions: vec![],
                    crowded: fields.get("crowded", false),
                    ..new
                });
                fields.end();
            }
            "tx" => {
                let transaction = read_transaction(Fields::new(parts));
                case.blocks.last_mut().expect("a block comes first").transactions.push(transaction);
            }
            _ => panic!("unknown line: {line}"),
        }
    }
    case.number_blocks();
    case
}

fn read_transaction(mut fields: Fields<'_>) -> CaseTx {
    let default = Tx::call(NOBODY, NOBODY);
    let to = fields.0.remove("to").map_or(TxKind::Create, |to| TxKind::Call(parse(to)));
    let item = |parts: &[&str]| AccessListItem {
        address: parse(parts[0]),
        storage_keys: parts[1..].iter().map(|slot| B256::from(parse::<U256>(slot))).collect(),
    };
    let authorization = |parts: &[&str]| {
        let (address, nonce, chain_id) = (parse(parts[0]), parse(parts[1]), parse(parts[2]));
        let inner = Authorization { chain_id, address, nonce };
        SignedAuthorization::new_unchecked(inner, parse(parts[3]), parse(parts[4]), parse(parts[5]))
    };
    let tx = Tx {
        from: fields.get("from", NOBODY),
        to,
        value: fields.get("value", default.value),
        nonce: Some(fields.get("nonce", 0)),
        gas: fields.get("gas", default.gas),
        price: fields.get("price", default.price),
        tip: fields.get("tip", default.tip),
        input: fields.get("input", default.input),
        ty: fields.get("type", default.ty),
        authorizations: fields.list("authorizations", authorization),
        blobs: fields.get("blobs", default.blobs),
        blob_price: fields.get("blob_price", default.blob_price),
        access_list: AccessList(fields.list("access", item)),
        chain_id: fields.get("chain_id", default.chain_id),
    };
    let broken = fields.get("broken", false);
    fields.end();
    CaseTx { tx, broken }
}
