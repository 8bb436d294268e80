use crate::rng::SplitMix64;

/// Draws indices, the first one more often than its share if it is a hot spot.
#[derive(Clone, Debug)]
pub(crate) struct Pick {
    /// The least index.
    first: usize,
    hot: f64,
    rest: Rest,
}

#[derive(Clone, Debug)]
enum Rest {
    /// All indices in turn, neighbours far apart: nothing comes twice before everything has come once.
    Walk { next: usize, stride: usize, length: usize },
    /// Any index as likely as another.
    Uniform { length: usize },
    /// Index `k` with a weight of `1 / (k + 1)`; here are the sums of the weights up to each index.
    Zipf { sums: Vec<u64> },
}

impl Pick {
    /// All of so many indices (at least one) in turn.
    pub(crate) fn walk(length: usize) -> Self {
        Self { first: 0, hot: 0.0, rest: Rest::Walk { next: 0, stride: stride(length), length } }
    }

    /// Any of so many indices (at least one).
    pub(crate) const fn uniform(length: usize) -> Self {
        Self { first: 0, hot: 0.0, rest: Rest::Uniform { length } }
    }

    /// Some of so many indices (at least one) far more often than others, by Zipf's law with exponent 1.
    pub(crate) fn zipf(length: usize) -> Self {
        // Integers, so that the drawn indices are the same on every machine.
        let sums = (1..=length as u64).scan(0, |sum, rank| {
            *sum += (1 << 32) / rank + 1;
            Some(*sum)
        });
        Self { first: 0, hot: 0.0, rest: Rest::Zipf { sums: sums.collect() } }
    }

    /// Has this share of all draws give the first index.
    pub(crate) fn with_hot(self, hot: f64) -> Self {
        Self { hot, ..self }
    }

    /// Has all indices be so much higher.
    pub(crate) const fn after(mut self, first: usize) -> Self {
        self.first = first;
        self
    }

    pub(crate) fn draw(&mut self, rng: &mut SplitMix64) -> usize {
        if rng.share(self.hot) {
            return self.first;
        }
        let index = match &mut self.rest {
            Rest::Walk { next, stride, length } => {
                let index = *next;
                *next = (index + *stride) % *length;
                index
            }
            Rest::Uniform { length } => rng.index(*length),
            Rest::Zipf { sums } => {
                let drawn = rng.below(sums.last().copied().unwrap_or_default());
                sums.partition_point(|sum| *sum <= drawn)
            }
        };
        self.first + index
    }
}

/// The step nearest to the golden section of `length` that leads through all indices.
fn stride(length: usize) -> usize {
    let golden = (length as u64).saturating_mul(618) / 1_000;
    let mut stride = (golden as usize).max(1);
    while greatest_common_divisor(stride, length) != 1 {
        stride += 1;
    }
    stride
}

const fn greatest_common_divisor(mut one: usize, mut other: usize) -> usize {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(mut pick: Pick, length: usize, draws: usize) -> Vec<usize> {
        let mut rng = SplitMix64::new(1);
        let mut counts = vec![0; length];
        for _ in 0..draws {
            counts[pick.draw(&mut rng)] += 1;
        }
        counts
    }

    #[test]
    fn a_walk_comes_by_everything_before_it_comes_again() {
        for length in [1, 2, 3, 10, 97, 1_000] {
            assert_eq!(counts(Pick::walk(length), length, 3 * length), vec![3; length]);
        }
    }

    #[test]
    fn a_uniform_pick_reaches_everything() {
        assert!(counts(Pick::uniform(10), 10, 1_000).iter().all(|count| (50..200).contains(count)));
    }

    #[test]
    fn zipfs_law_halves_from_the_first_to_the_second() {
        let counts = counts(Pick::zipf(1_000), 1_000, 100_000);
        // The weights add up to the harmonic number 7.485.
        assert!((13_000..13_800).contains(&counts[0]), "{}", counts[0]);
        assert!((6_300..7_100).contains(&counts[1]), "{}", counts[1]);
        assert!(counts[500..].iter().sum::<usize>() > 8_000);
    }

    #[test]
    fn a_hot_spot_gets_its_share() {
        assert_eq!(counts(Pick::uniform(10).with_hot(1.0), 10, 100)[0], 100);
        let half = counts(Pick::walk(1_000).with_hot(0.5), 1_000, 10_000)[0];
        assert!((4_800..5_200).contains(&half), "{half}");
    }
}
