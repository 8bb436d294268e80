//! As much of DAG-CBOR as the state takes.

use alloc::vec::Vec;

use crate::sys::{Cid, fail};

/// A number in little-endian order.
pub(crate) fn little(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A number in big-endian order.
pub(crate) fn big(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Without leading zeros.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

/// Reads a block; ends the call where it is of another form.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, size: usize) -> &'a [u8] {
        if size > self.0.len() {
            fail(40)
        }
        let (taken, rest) = self.0.split_at(size);
        self.0 = rest;
        taken
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    /// A major type and its argument.
    fn head(&mut self) -> (u8, u64) {
        let first = self.byte();
        let argument = match first & 31 {
            small @ 0..=23 => u64::from(small),
            large @ 24..=27 => big(self.take(1 << (large - 24))),
            _ => fail(40),
        };
        (first >> 5, argument)
    }

    fn expect(&mut self, major: u8) -> u64 {
        match self.head() {
            (found, argument) if found == major => argument,
            _ => fail(41),
        }
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.expect(0)
    }

    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        let size = self.expect(2) as usize;
        self.take(size)
    }

    pub(crate) fn text(&mut self) -> &'a [u8] {
        let size = self.expect(3) as usize;
        self.take(size)
    }

    pub(crate) fn array(&mut self) -> usize {
        self.expect(4) as usize
    }

    pub(crate) fn map(&mut self) -> usize {
        self.expect(5) as usize
    }

    pub(crate) fn link(&mut self) -> Cid {
        if self.expect(6) != 42 {
            fail(41)
        }
        match self.bytes() {
            [0, cid @ ..] if cid.len() == 38 => cid.try_into().unwrap_or_else(|_| fail(41)),
            _ => fail(41),
        }
    }

    /// Whether the next item is a link.
    pub(crate) fn at_link(&self) -> bool {
        self.0.first().is_some_and(|first| first >> 5 == 6)
    }
}

/// Writes a block.
#[derive(Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    fn head(&mut self, major: u8, argument: u64) {
        let major = major << 5;
        match argument {
            0..=23 => self.0.push(major | argument as u8),
            24..=0xff => self.0.extend([major | 24, argument as u8]),
            0x100..=0xffff => {
                self.0.push(major | 25);
                self.0.extend((argument as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                self.0.push(major | 26);
                self.0.extend((argument as u32).to_be_bytes());
            }
            _ => {
                self.0.push(major | 27);
                self.0.extend(argument.to_be_bytes());
            }
        }
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.head(0, number);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.head(2, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &[u8]) {
        self.head(3, text.len() as u64);
        self.0.extend_from_slice(text);
    }

    pub(crate) fn array(&mut self, items: usize) {
        self.head(4, items as u64);
    }

    pub(crate) fn map(&mut self, items: usize) {
        self.head(5, items as u64);
    }

    pub(crate) fn link(&mut self, cid: &Cid) {
        self.head(6, 42);
        self.head(2, 39);
        self.0.push(0);
        self.0.extend_from_slice(cid);
    }

    /// Nothing at all.
    pub(crate) fn null(&mut self) {
        self.0.push(0xf6);
    }
}
