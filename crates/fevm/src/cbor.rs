//! As much of DAG-CBOR as comparing and merging state needs: heads, strings, links and where they stand.

use std::ops::Range;

use cid::Cid;

/// The tag of a link.
const LINK: u64 = 42;

/// Reads one block. Every method gives `None` where the block is not what was asked for, or ends early.
pub(crate) struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

/// A major type and its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) major: u8,
    pub(crate) value: u64,
}

/// A link. Most are passed over, and parsing a CID takes longer than everything else about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link<'a> {
    /// The bytes of its CID.
    pub(crate) name: &'a [u8],
    /// Where they stand in the block.
    pub(crate) place: Range<usize>,
}

impl Link<'_> {
    pub(crate) fn cid(&self) -> Option<Cid> {
        Cid::try_from(self.name).ok()
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    /// How much has been read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at == self.data.len()
    }

    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(size)?;
        let taken = self.data.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub(crate) fn head(&mut self) -> Option<Head> {
        let first = *self.take(1)?.first()?;
        let value = match first & 31 {
            low @ 0..=23 => u64::from(low),
            low @ 24..=27 => {
                self.take(1 << (low - 24))?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
            }
            _ => return None,
        };
        Some(Head { major: first >> 5, value })
    }

    fn expect(&mut self, major: u8) -> Option<u64> {
        self.head().filter(|head| head.major == major).map(|head| head.value)
    }

    pub(crate) fn uint(&mut self) -> Option<u64> {
        self.expect(0)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let size = self.expect(2)?;
        self.take(usize::try_from(size).ok()?)
    }

    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        let size = self.expect(3)?;
        self.take(usize::try_from(size).ok()?)
    }

    pub(crate) fn array(&mut self) -> Option<u64> {
        self.expect(4)
    }

    pub(crate) fn map(&mut self) -> Option<u64> {
        self.expect(5)
    }

    pub(crate) fn link(&mut self) -> Option<Link<'a>> {
        if self.expect(6)? != LINK {
            return None;
        }
        self.name()
    }

    fn name(&mut self) -> Option<Link<'a>> {
        let (zero, name) = self.bytes()?.split_first()?;
        (*zero == 0).then(|| Link { name, place: self.at - name.len()..self.at })
    }

    /// Passes one item, and calls `visit` with every link in it.
    pub(crate) fn item(&mut self, visit: &mut impl FnMut(Link<'a>)) -> Option<()> {
        let mut left = 1_u64;
        while left > 0 {
            left -= 1;
            let Head { major, value } = self.head()?;
            match major {
                2 | 3 => {
                    self.take(usize::try_from(value).ok()?)?;
                }
                4 => left = left.checked_add(value)?,
                5 => left = left.checked_add(value.checked_mul(2)?)?,
                6 if value == LINK => visit(self.name()?),
                6 => left = left.checked_add(1)?,
                _ => {}
            }
        }
        Some(())
    }
}

/// All links of a block, in order.
pub(crate) fn links(data: &[u8]) -> Option<Vec<Link<'_>>> {
    let mut found = Vec::new();
    let mut reader = Reader::new(data);
    reader.item(&mut |link| found.push(link))?;
    reader.at_end().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_where_they_stand() {
        let cid = fvm_shared::EMPTY_ARR_CID;
        let mut data = vec![0x83, 0x01, 0xd8, 0x2a, 0x58, 0x27, 0x00];
        data.extend(cid.to_bytes());
        data.extend([0x42, 1, 2]);
        let found = links(&data).expect("a block");
        assert_eq!(found, [Link { name: &cid.to_bytes(), place: 7..45 }]);
        assert_eq!(found[0].cid(), Some(cid));
    }

    #[test]
    fn broken_blocks_have_no_links() {
        for broken in [
            &[][..],
            &[0x82, 0x01],
            &[0x58, 9, 1],
            &[0x1f],
            &[0x9b, 255, 255, 255, 255, 255, 255, 255, 255],
            &[1, 1],
        ] {
            assert_eq!(links(broken), None, "{broken:?}");
        }
    }
}
