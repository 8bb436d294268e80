use super::error::GenesisError;
use std::cell::RefCell;

/// The path of the value being read, for error messages: the deserializer reports lines only.
#[derive(Default)]
pub(super) struct JsonPath {
    field: RefCell<Option<String>>,
    account: RefCell<Option<String>>,
    account_field: RefCell<Option<&'static str>>,
}

impl JsonPath {
    pub(super) fn enter(&self, field: &str) {
        self.field.replace(Some(field.to_owned()));
    }

    pub(super) fn leave(&self) {
        self.field.replace(None);
    }

    pub(super) fn enter_account(&self, address: String) {
        self.account.replace(Some(address));
        self.account_field.replace(None);
    }

    pub(super) fn leave_account(&self) {
        self.account.replace(None);
        self.account_field.replace(None);
    }

    pub(super) fn set_field(&self, field: &'static str) {
        self.account_field.replace(Some(field));
    }

    pub(super) fn explain(&self, error: serde_json::Error) -> GenesisError {
        if error.is_io() {
            return GenesisError::Io(error.into());
        }
        let path: Vec<_> = [
            self.field.borrow().clone(),
            self.account.borrow().clone(),
            self.account_field.borrow().map(str::to_owned),
        ]
        .into_iter()
        .flatten()
        .collect();
        if path.is_empty() || error.is_syntax() || error.is_eof() {
            return GenesisError::Syntax(error.to_string());
        }
        GenesisError::field(path.join("."), error.to_string())
    }
}
