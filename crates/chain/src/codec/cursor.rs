use super::error::DecodeError;
use alloy_primitives::{B256, keccak256};
use alloy_rlp::{Decodable, Error, Header};

/// Decodes the items of a list of RLP one after another, and knows where it is.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    /// The whole block.
    bytes: &'a [u8],
    /// Where the next item begins in `bytes`.
    at: usize,
    /// Where the list ends in `bytes`.
    end: usize,
}

impl<'a> Cursor<'a> {
    /// Stands before the only item of `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, end: bytes.len() }
    }

    /// Whether the list has no more items.
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.end
    }

    /// Decodes the next item, which must be exactly a `T`: decoders alone may leave a rest of it, or take more.
    pub(super) fn item<T: Decodable>(&mut self, field: impl Fn() -> String) -> Result<T, DecodeError> {
        let mut rest = &self.bytes[self.at..self.end];
        let head = Header::decode(&mut rest).map_err(|error| self.error(field(), error))?;
        let end = self.end - rest.len() + head.payload_length;
        let mut item = &self.bytes[self.at..end];
        let value = T::decode(&mut item).map_err(|error| self.error(field(), error))?;
        if !item.is_empty() {
            return Err(self.error(field(), Error::UnexpectedLength));
        }
        self.at = end;
        Ok(value)
    }

    /// Steps over the next item, which must be a list, and stands before that list's first item.
    pub(super) fn list(&mut self, field: impl FnOnce() -> String) -> Result<Self, DecodeError> {
        let mut rest = &self.bytes[self.at..self.end];
        match Header::decode(&mut rest) {
            Ok(head) if head.list => {
                let at = self.end - rest.len();
                self.at = at + head.payload_length;
                Ok(Self { bytes: self.bytes, at, end: self.at })
            }
            Ok(_) => Err(self.error(field(), Error::UnexpectedString)),
            Err(error) => Err(self.error(field(), error)),
        }
    }

    /// Decodes all items of the next item, which must be a list.
    pub(super) fn items<T>(
        &mut self,
        field: &str,
        mut decode: impl FnMut(&mut Self, usize) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let mut list = self.list(|| field.to_owned())?;
        let mut items = Vec::new();
        while !list.is_empty() {
            let item = decode(&mut list, items.len())?;
            items.push(item);
        }
        Ok(items)
    }

    /// The hash of the bytes from `start` on up to here.
    pub(super) fn hash_since(&self, start: usize) -> B256 {
        keccak256(&self.bytes[start..self.at])
    }

    /// Where the next item begins, counted from the block's first byte.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Says that something is wrong with the next item.
    pub(super) fn error(&self, field: String, error: Error) -> DecodeError {
        DecodeError { field, offset: self.at, error }
    }
}
