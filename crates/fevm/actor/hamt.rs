//! Actor 1's addresses: a tree in which a node has 32 places, chosen by five bits of the key's hash each. A place holds up to three
//! addresses and their IDs, in order, or a link to a node.

use alloc::vec;
use alloc::vec::Vec;

use crate::cbor::{Reader, Writer, big, trim};
use crate::kamt::places;
use crate::sys::{Cid, DAG_CBOR, fail, load, save, sha256};

/// Addresses of one place.
const BUCKET: usize = 3;

enum Pointer {
    Addresses(Vec<(Vec<u8>, u64)>),
    Link(Cid),
}

/// Pointers by place, in order.
#[derive(Default)]
pub(crate) struct Node(Vec<(u8, Pointer)>);

impl Node {
    pub(crate) fn load(cid: &Cid) -> Self {
        let data = load(cid);
        let mut reader = Reader(&data);
        if reader.array() != 2 {
            fail(43)
        }
        let field = big(reader.bytes());
        if reader.array() != field.count_ones() as usize {
            fail(43)
        }
        let taken = (0..32).filter(|place| field >> place & 1 == 1);
        let pointer = |reader: &mut Reader<'_>| match reader.at_link() {
            true => Pointer::Link(reader.link()),
            false => {
                let count = reader.array();
                let address = |_| {
                    if reader.array() != 2 {
                        fail(43)
                    }
                    let address = reader.bytes().to_vec();
                    (address, reader.number())
                };
                Pointer::Addresses((0..count).map(address).collect())
            }
        };
        Self(taken.map(|place| (place, pointer(&mut reader))).collect())
    }

    pub(crate) fn save(&self) -> Cid {
        let mut writer = Writer::default();
        writer.array(2);
        let field = self.0.iter().fold(0_u32, |field, (place, _)| field | 1 << place);
        writer.bytes(trim(&field.to_be_bytes()));
        writer.array(self.0.len());
        for (_, pointer) in &self.0 {
            match pointer {
                Pointer::Link(cid) => writer.link(cid),
                Pointer::Addresses(addresses) => {
                    writer.array(addresses.len());
                    for (address, id) in addresses {
                        writer.array(2);
                        writer.bytes(address);
                        writer.number(*id);
                    }
                }
            }
        }
        save(DAG_CBOR, &writer.0)
    }

    fn find(&self, place: u8) -> Result<usize, usize> {
        self.0.binary_search_by_key(&place, |(place, _)| *place)
    }

    /// The meaning of an address.
    pub(crate) fn get(&self, address: &[u8]) -> Option<u64> {
        self.get_below(address, &places(&sha256(address)), 0)
    }

    fn get_below(&self, address: &[u8], places: &[u8], level: usize) -> Option<u64> {
        match &self.0[self.find(places[level]).ok()?].1 {
            Pointer::Link(cid) => Self::load(cid).get_below(address, places, level + 1),
            Pointer::Addresses(addresses) => {
                addresses.iter().find(|(found, _)| found == address).map(|(_, id)| *id)
            }
        }
    }

    /// Adds an address that is not there.
    pub(crate) fn insert(&mut self, address: &[u8], id: u64) {
        self.insert_below(address, id, 0);
    }

    fn insert_below(&mut self, address: &[u8], id: u64, level: usize) {
        let place = places(&sha256(address))[level];
        let index = match self.find(place) {
            Ok(index) => index,
            Err(index) => {
                self.0.insert(index, (place, Pointer::Addresses(vec![(address.to_vec(), id)])));
                return;
            }
        };
        let pointer = &mut self.0[index].1;
        let mut below = match pointer {
            Pointer::Link(cid) => Self::load(cid),
            Pointer::Addresses(addresses) if addresses.len() < BUCKET => {
                let at = addresses.partition_point(|(other, _)| other.as_slice() < address);
                addresses.insert(at, (address.to_vec(), id));
                return;
            }
            Pointer::Addresses(addresses) => {
                let mut below = Self::default();
                for (address, id) in addresses {
                    below.insert_below(address, *id, level + 1);
                }
                below
            }
        };
        below.insert_below(address, id, level + 1);
        *pointer = Pointer::Link(below.save());
    }
}
