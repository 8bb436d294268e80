use super::check;
use crate::cell::{Stamped, Words};
use loom::thread::spawn;
use std::sync::Arc;

#[test]
fn a_reader_sees_a_value_together_with_its_stamp() {
    check(3, || {
        let cell = Arc::new(Stamped::<Words<2>>::default());
        let writer = {
            let cell = cell.clone();
            spawn(move || (1..=2).for_each(|stamp| cell.store([stamp; 2])))
        };
        let mut newest = 0;
        for _ in 0..2 {
            let (stamp, value) = cell.load();
            assert_eq!(value, [stamp; 2]);
            assert!(stamp >= newest, "a value came back");
            newest = stamp;
        }
        writer.join().expect("it does not panic");
        assert_eq!(cell.load(), (2, [2; 2]));
    });
}

/// A thread that reads a value sees everything that happened before it was stored.
#[test]
fn a_value_vouches_for_what_came_before() {
    check(3, || {
        let cells = Arc::new([(); 2].map(|()| Stamped::<Words<1>>::default()));
        let writer = {
            let cells = cells.clone();
            spawn(move || cells.iter().for_each(|cell| cell.store([1])))
        };
        let [first, second] = &*cells;
        let later = second.load().0;
        assert!(first.load().0 >= later);
        writer.join().expect("it does not panic");
    });
}
