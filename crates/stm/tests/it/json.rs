//! Values that go to JSON and come back.

use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use std::time::Duration;
use tandem_stm::{
    Admission, Check, Cut, Delta, Effect, Event, EventKind, History, Metrics, Observation, Outcome,
};

fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).expect("it goes to JSON");
    assert_eq!(&serde_json::from_str::<T>(&text).expect("it comes back"), value, "{text}");
}

#[test]
fn plain_data_comes_back() {
    let execution = EventKind::Execution {
        speculative: true,
        incarnation: 2,
        failed: true,
        waited: Duration::from_nanos(3),
    };
    let events = [execution, EventKind::Conflict, EventKind::EarlyConflict, EventKind::Repair].map(|kind| {
        Event { position: u64::MAX, kind, start: Duration::new(1, 2), time: Duration::from_micros(5) }
    });
    comes_back(&Metrics {
        steps: 7,
        skipped: 1,
        conflicts_by_kind: vec![3, 0, u64::MAX],
        runs_ahead: [1, 2, 3, 4, 5, 6, 7],
        idle_time: Duration::from_millis(1_500),
        timelines: vec![events.to_vec(), Vec::new()],
        ..Metrics::default()
    });
    comes_back(&[Observation::Exact(1), Observation::AtLeast(2)]);
    comes_back(&[Effect::Set(1), Effect::Add(Delta::Plus(2)), Effect::Add(Delta::Minus(3))]);
    comes_back(&[Check::Holds, Check::Moved, Check::Violated(4)]);
    comes_back(&[Outcome::Taken, Outcome::Skipped, Outcome::Rejected].map(|outcome| History {
        executions: 2,
        conflicts: 1,
        repaired: true,
        outcome,
    }));
    comes_back(&[Admission::Take, Admission::Skip]);
    comes_back(&[Cut::Never, Cut::Batch]);
}
