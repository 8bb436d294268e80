use alloy_consensus::Header;
use alloy_hardforks::EthereumHardfork;
use alloy_primitives::U256;
use tandem_evm::ChainSpec;

/// The least difficulty of proof of work (Yellow Paper, 4.4.4).
const MINIMUM: u64 = 131_072;

/// Difficulty moves in steps of this part of itself.
const STEP_DIVISOR: u64 = 2048;

/// The most steps downwards at once.
const MAX_STEPS_DOWN: u64 = 99;

/// Blocks after which the difficulty bomb doubles.
const BOMB_PERIOD: u64 = 100_000;

/// By how many blocks each fork delays the bomb, newest first.
const BOMB_DELAYS: &[(EthereumHardfork, u64)] = &[
    (EthereumHardfork::GrayGlacier, 11_400_000),   // EIP-5133
    (EthereumHardfork::ArrowGlacier, 10_700_000),  // EIP-4345
    (EthereumHardfork::London, 9_700_000),         // EIP-3554
    (EthereumHardfork::MuirGlacier, 9_000_000),    // EIP-2384
    (EthereumHardfork::Constantinople, 5_000_000), // EIP-1234
    (EthereumHardfork::Byzantium, 3_000_000),      // EIP-649
];

/// The difficulty of the proof-of-work block that follows `parent` at `timestamp` (seconds): Frontier's rule, Homestead's
/// (EIP-2), or Byzantium's (EIP-100), with the bomb as the chain's forks delay it.
///
/// Saturates at `U256::MAX`.
pub fn next_difficulty(chain: &ChainSpec, parent: &Header, timestamp: u64) -> U256 {
    let number = parent.number.saturating_add(1);
    let is_active = |fork| chain.is_active(fork, number, timestamp);
    let elapsed = timestamp.saturating_sub(parent.timestamp);
    let step = parent.difficulty / U256::from(STEP_DIVISOR);
    let up = |steps: u64| parent.difficulty.saturating_add(step * U256::from(steps));
    // 99 steps of 1/2048 cannot pass zero.
    let down = |steps: u64| parent.difficulty - step * U256::from(steps.min(MAX_STEPS_DOWN));
    // The steps are `base - elapsed / seconds`, from `base` upwards to -99.
    let steps_of = |base: u64, seconds: u64| {
        let fewer = elapsed / seconds;
        if fewer <= base { up(base - fewer) } else { down(fewer - base) }
    };
    let plain = if is_active(EthereumHardfork::Byzantium) {
        steps_of(if parent.ommers_hash_is_empty() { 1 } else { 2 }, 9)
    } else if is_active(EthereumHardfork::Homestead) {
        steps_of(1, 10)
    } else if elapsed < 13 {
        up(1)
    } else {
        down(1)
    };
    let delay = BOMB_DELAYS.iter().find(|(fork, _)| is_active(*fork)).map_or(0, |(_, delay)| *delay);
    plain.max(U256::from(MINIMUM)).saturating_add(bomb(number.saturating_sub(delay)))
}

/// The bomb's share in a block whose number, less the delay, is `number`.
fn bomb(number: u64) -> U256 {
    match (number / BOMB_PERIOD).checked_sub(2) {
        Some(exponent) => usize::try_from(exponent)
            .ok()
            .and_then(|exponent| U256::ONE.checked_shl(exponent))
            .unwrap_or(U256::MAX),
        None => U256::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    fn next(number: u64, parent_difficulty: u64, elapsed: u64, with_ommers: bool) -> U256 {
        let mut parent = Header {
            number: number - 1,
            difficulty: U256::from(parent_difficulty),
            timestamp: 1_000,
            ..Header::default()
        };
        if with_ommers {
            parent.ommers_hash = B256::ZERO;
        }
        next_difficulty(&ChainSpec::known(1).unwrap(), &parent, 1_000 + elapsed)
    }

    #[test]
    fn frontier_moves_by_one_step() {
        assert_eq!(next(2, 2_048_000, 12, false), U256::from(2_049_000));
        assert_eq!(next(2, 2_048_000, 13, false), U256::from(2_047_000));
        assert_eq!(next(2, 131_072, 13, false), U256::from(131_072));
        assert_eq!(next(200_000, 2_048_000, 12, false), U256::from(2_049_001));
    }

    #[test]
    fn homestead_moves_by_the_time_elapsed() {
        let bomb = 1_u64 << 9; // Block 1,150,000 is in the bomb's period 11.
        for (elapsed, steps) in [(9, 1), (10, 0), (19, 0), (20, -1), (1_009, -99), (5_000, -99)] {
            let expected = (2_048_000_i64 + steps * 1_000) as u64 + bomb;
            assert_eq!(next(1_150_000, 2_048_000, elapsed, false), U256::from(expected), "{elapsed}");
        }
    }

    #[test]
    fn byzantium_counts_the_parents_ommers() {
        let bomb = 1_u64 << 11; // (4,370,000 - 3,000,000) / 100,000 = 13
        for (elapsed, ommers, steps) in
            [(8, false, 1), (8, true, 2), (9, false, 0), (9, true, 1), (27, true, -1)]
        {
            let expected = (2_048_000_i64 + steps * 1_000) as u64 + bomb;
            assert_eq!(
                next(4_370_000, 2_048_000, elapsed, ommers),
                U256::from(expected),
                "{elapsed} {ommers}"
            );
        }
    }

    #[test]
    fn each_delay_sets_the_bomb_back() {
        // (first block of the fork, the bomb's period there)
        for (number, period) in [
            (4_370_000, 13),
            (7_280_000, 22),
            (9_200_000, 2),
            (12_965_000, 32),
            (13_773_000, 30),
            (15_050_000, 36),
        ] {
            let expected = U256::from(2_048_000) + (U256::ONE << (period - 2));
            assert_eq!(next(number, 2_048_000, 9, false), expected, "{number}");
        }
    }

    #[test]
    fn no_number_is_too_large() {
        assert_eq!(bomb(u64::MAX), U256::MAX);
        let parent = Header { number: u64::MAX, difficulty: U256::MAX, ..Header::default() };
        assert_eq!(next_difficulty(&ChainSpec::known(1).unwrap(), &parent, 0), U256::MAX);
    }
}
