//! Precompile back ends: revm's own, except where another one was measured to be better.

use alloy_primitives::{U64, U256, uint};
use ark_bn254::{Fq, Fr, G1Affine, G1Projective, g1::Config as G1};
use ark_ec::{
    AffineRepr, CurveGroup,
    scalar_mul::{glv::GLVConfig, wnaf::WnafContext},
};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, PrimeField, Zero};
use dashu_int::{UBig, fast_div::ConstDivisor, monty::MontgomeryRepr};
use revm::precompile::{Crypto, DefaultCrypto, PrecompileHalt, install_crypto};

/// The cryptography behind the precompiles, for [`revm::precompile::install_crypto`].
///
/// Two operations differ from revm's defaults; `cargo bench -p tandem-evm --bench precompiles` prints the times of
/// both back ends:
///
/// - `MODEXP` with an odd modulus. Up to 32 bytes, which is nearly every call on mainnet, it is fixed-width
///   Montgomery arithmetic, or one modular inversion where the call is an inversion by Fermat's little theorem in
///   a well-known prime field. Beyond 32 bytes it is `dashu-int`. Even moduli stay with the default.
/// - BN254 point multiplication: the same arkworks arithmetic as the default, with the curve's endomorphism and
///   signed windows instead of double-and-add.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrecompileBackends;

impl Crypto for PrecompileBackends {
    fn modexp(&self, base: &[u8], exp: &[u8], modulus: &[u8]) -> Result<Vec<u8>, PrecompileHalt> {
        let short = trim(modulus);
        match short.last() {
            Some(low) if low & 1 == 1 && short != [1] => Ok(odd_modexp(trim(base), trim(exp), short)),
            _ => DefaultCrypto.modexp(base, exp, modulus),
        }
    }

    fn bn254_g1_mul(&self, point: &[u8], scalar: &[u8]) -> Result<[u8; 64], PrecompileHalt> {
        let point = read_g1(point)?;
        Ok(encode_g1(g1_mul(point, Fr::from_be_bytes_mod_order(scalar)).into_affine()))
    }
}

/// Installs [`PrecompileBackends`] for every EVM in this process and says whether that took effect.
///
/// revm takes one provider per process, and the first precompile call fixes the default one: call this at the start
/// of the program. It returns `false` if a provider was fixed before, this one included. Results do not depend on
/// it, only their speed; no other function of this crate calls it.
pub fn install_precompiles() -> bool {
    install_crypto(PrecompileBackends)
}

fn trim(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

/// All arguments without leading zeros; `modulus` is odd and above 1.
fn odd_modexp(base: &[u8], exp: &[u8], modulus: &[u8]) -> Vec<u8> {
    if let (Some(base), Some(modulus)) = (U256::try_from_be_slice(base), U256::try_from_be_slice(modulus)) {
        let result = if is_fermat_inverse(exp, modulus) {
            // A multiple of the prime has no inverse, and its power is zero.
            base.reduce_mod(modulus).inv_mod(modulus).unwrap_or_default()
        } else {
            word_modexp(base, exp, modulus)
        };
        return result.to_be_bytes_trimmed_vec();
    }
    let exponent = UBig::from_be_bytes(exp);
    let (base, modulus) = (UBig::from_be_bytes(base), UBig::from_be_bytes(modulus));
    // Converting to Montgomery form costs more than the few divisions that a tiny exponent needs.
    let result = if exp.len() <= 1 {
        ConstDivisor::new(modulus).reduce(base).pow(&exponent).residue()
    } else {
        MontgomeryRepr::new(modulus).reduce(base).pow(&exponent).residue()
    };
    result.to_be_bytes().into_vec()
}

/// The fields that contracts work in.
const PRIMES: [U256; 7] = uint!([
    // BN254: scalar field, base field.
    0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001_U256,
    0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47_U256,
    // BLS12-381: scalar field.
    0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001_U256,
    // secp256k1: base field, group order.
    0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f_U256,
    0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256,
    // P-256: base field, group order.
    0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff_U256,
    0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551_U256,
]);

/// Whether `b^exp` is the inverse of `b` for every `b` that the modulus does not divide.
fn is_fermat_inverse(exp: &[u8], modulus: U256) -> bool {
    exp.len() == 32 && PRIMES.contains(&modulus) && U256::from_be_slice(exp) == modulus - U256::from(2)
}

/// Left-to-right windows of four bits over Montgomery products.
fn word_modexp(base: U256, exp: &[u8], modulus: U256) -> U256 {
    let Some(inverse) = U64::wrapping_from(modulus).inv_ring() else {
        unreachable!("an odd number has an inverse modulo a power of two")
    };
    let negated = inverse.wrapping_neg().to::<u64>();
    let product = |left: U256, right: U256| left.mul_redc(right, modulus, negated);

    // 2^256 in the ring, which is one in Montgomery form.
    let one = U256::MAX.reduce_mod(modulus).add_mod(U256::ONE, modulus);
    let base = base.mul_mod(one, modulus);
    let power = if let [small] = exp {
        let mut power = one;
        for bit in (0..u8::BITS - small.leading_zeros()).rev() {
            power = product(power, power);
            if small >> bit & 1 == 1 {
                power = product(power, base);
            }
        }
        power
    } else {
        let mut table = [one; 16];
        for digit in 1..table.len() {
            table[digit] = product(table[digit - 1], base);
        }
        let mut power = one;
        for digit in exp.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
            for _ in 0..4 {
                power = product(power, power);
            }
            if digit != 0 {
                power = product(power, table[usize::from(digit)]);
            }
        }
        power
    };
    product(power, U256::ONE)
}

fn read_fq(bytes: &[u8]) -> Result<Fq, PrecompileHalt> {
    Fq::from_bigint(BigInt::new(*U256::from_be_slice(bytes).as_limbs()))
        .ok_or(PrecompileHalt::Bn254FieldPointNotAMember)
}

fn read_g1(bytes: &[u8]) -> Result<G1Affine, PrecompileHalt> {
    let (x, y) = bytes.split_at(32);
    let (x, y) = (read_fq(x)?, read_fq(y)?);
    if x.is_zero() && y.is_zero() {
        return Ok(G1Affine::zero());
    }
    let point = G1Affine::new_unchecked(x, y);
    // The group's order is prime and its cofactor one: a point on the curve is in the group.
    if point.is_on_curve() { Ok(point) } else { Err(PrecompileHalt::Bn254AffineGFailedToCreate) }
}

fn encode_g1(point: G1Affine) -> [u8; 64] {
    let mut output = [0; 64];
    if let Some((x, y)) = point.xy() {
        for (coordinate, bytes) in [x, y].into_iter().zip(output.chunks_exact_mut(32)) {
            bytes.copy_from_slice(&U256::from_limbs(coordinate.into_bigint().0).to_be_bytes::<32>());
        }
    }
    output
}

/// Multiplies with `scalar` split in two halves of about 128 bits by the curve's endomorphism, both read as signed
/// windows, so that they share the doublings.
fn g1_mul(point: G1Affine, scalar: Fr) -> G1Projective {
    const WINDOW: usize = 5;

    let ((positive_1, half_1), (positive_2, half_2)) = G1::scalar_decomposition(scalar);
    let multiples = WnafContext::new(WINDOW - 1).table(point.into_group());
    let images: Vec<G1Projective> = multiples.iter().map(G1::endomorphism).collect();
    let digits = |half: Fr| half.into_bigint().find_wnaf(WINDOW).unwrap_or_default();
    let terms = [(digits(half_1), positive_1, multiples), (digits(half_2), positive_2, images)];

    let mut sum = G1Projective::zero();
    for index in (0..terms.iter().map(|(digits, ..)| digits.len()).max().unwrap_or(0)).rev() {
        sum.double_in_place();
        for (digits, positive, table) in &terms {
            let digit = digits.get(index).copied().unwrap_or(0);
            if digit != 0 {
                let term = table[digit.unsigned_abs() as usize / 2];
                if (digit > 0) == *positive { sum += term } else { sum -= term }
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }

        fn below(&mut self, bound: usize) -> usize {
            (self.next() % bound as u64) as usize
        }

        /// Random bytes with runs of zeros and ones, which is where carries and borrows are.
        fn bytes(&mut self, len: usize) -> Vec<u8> {
            let mut bytes: Vec<u8> = (0..len).map(|_| self.next() as u8).collect();
            if len > 0 {
                for _ in 0..self.below(3) {
                    let (start, fill) = (self.below(len), [0x00, 0xff][self.below(2)]);
                    let end = start + self.below(len - start + 1);
                    bytes[start..end].fill(fill);
                }
                if self.below(4) == 0 {
                    let zeros = self.below(len + 1);
                    bytes[..zeros].fill(0);
                }
            }
            bytes
        }
    }

    fn assert_same(base: &[u8], exp: &[u8], modulus: &[u8]) {
        let ours = PrecompileBackends.modexp(base, exp, modulus);
        let default = DefaultCrypto.modexp(base, exp, modulus);
        let (ours, default) = (ours.expect("never fails"), default.expect("never fails"));
        assert!(ours.len() <= modulus.len(), "the precompile drops what exceeds the modulus");
        assert_eq!(trim(&ours), trim(&default), "{base:02x?} ^ {exp:02x?} mod {modulus:02x?}");
    }

    #[test]
    fn modexp_equals_the_default_on_small_lengths() {
        let mut numbers = Numbers(1);
        for _ in 0..40_000 {
            let [base, exp, modulus] = [80, 40, 80].map(|most| {
                let len = numbers.below(most);
                numbers.bytes(len)
            });
            assert_same(&base, &exp, &modulus);
        }
    }

    #[test]
    fn modexp_equals_the_default_on_32_bytes() {
        let mut numbers = Numbers(2);
        for _ in 0..20_000 {
            let [base, exp, mut modulus] = [32; 3].map(|len| numbers.bytes(len));
            modulus[31] |= 1;
            assert_same(&base, &exp, &modulus);
        }
    }

    #[test]
    fn modexp_equals_the_default_on_large_lengths() {
        let mut numbers = Numbers(3);
        for _ in 0..3_000 {
            let [base, modulus] = [1025, 1025].map(|most| {
                let len = numbers.below(most);
                numbers.bytes(len)
            });
            let exp = numbers.below(6);
            assert_same(&base, &numbers.bytes(exp), &modulus);
        }
        for len in [33, 40, 48, 63, 64, 65, 128, 192, 255, 256] {
            for _ in 0..4 {
                let [base, exp, mut modulus] = [len; 3].map(|len| numbers.bytes(len));
                modulus[len - 1] |= 1;
                assert_same(&base, &exp, &modulus);
            }
        }
        let [base, mut modulus] = [1024; 2].map(|len| numbers.bytes(len));
        modulus[1023] |= 1;
        assert_same(&base, &numbers.bytes(64), &modulus);
    }

    #[test]
    fn modexp_equals_the_default_on_edges() {
        let edges: Vec<Vec<u8>> = [0, 1, 8, 16, 24, 31, 32, 33, 40, 64, 72]
            .into_iter()
            .flat_map(|len| {
                let value = |first: u8, middle: u8, last: u8| {
                    let mut bytes = vec![middle; len];
                    bytes.iter_mut().take(1).for_each(|byte| *byte = first);
                    bytes.iter_mut().skip(1).rev().take(1).for_each(|byte| *byte = last);
                    bytes
                };
                [
                    value(0, 0, 0),
                    value(0, 0, 1),
                    value(0, 0, 2),
                    value(1, 0, 0),
                    value(1, 0, 1),
                    value(0x80, 0, 0),
                    value(0x80, 0, 1),
                    value(0x7f, 0xff, 0xff),
                    value(0xff, 0xff, 0xfe),
                    value(0xff, 0xff, 0xff),
                ]
            })
            .collect();
        for base in &edges {
            for exp in edges.iter().filter(|exp| exp.len() < 33) {
                for modulus in &edges {
                    assert_same(base, exp, modulus);
                }
            }
        }
    }

    #[test]
    fn modexp_equals_the_default_on_inversions() {
        let mut numbers = Numbers(4);
        for prime in PRIMES {
            let bytes = prime.to_be_bytes::<32>();
            for distance in 0..4 {
                let exp = (prime - U256::from(distance)).to_be_bytes::<32>();
                for small in 0..3 {
                    let near = (prime - U256::from(1) + U256::from(small)).to_be_bytes::<32>();
                    assert_same(&[small as u8], &exp, &bytes);
                    assert_same(&near, &exp, &bytes);
                }
                for _ in 0..500 {
                    let len = [8, 16, 32, 32, 32, 33, 64][numbers.below(7)];
                    assert_same(&numbers.bytes(len), &exp, &bytes);
                }
            }
            assert_same(&bytes, &(prime - U256::from(2)).to_be_bytes::<32>(), &bytes);
        }
    }

    fn generator() -> [u8; 64] {
        let mut point = [0; 64];
        (point[31], point[63]) = (1, 2);
        point
    }

    #[test]
    fn point_multiplication_equals_the_default() {
        let mut numbers = Numbers(5);
        let mut point = generator();
        let order = PRIMES[0];
        let edges = (0..40).flat_map(|small| {
            let small = U256::from(small);
            [
                small,
                order - small,
                order + small,
                order + order - small,
                U256::MAX - small,
                U256::ONE << small,
            ]
        });
        let lambda = U256::from_limbs(G1::LAMBDA.into_bigint().0);
        let edges: Vec<U256> =
            edges.chain([lambda, lambda - U256::ONE, lambda + U256::ONE, order - lambda]).collect();
        let random = (0..2_000).map(|_| U256::from_be_slice(&numbers.bytes(32)));
        for scalar in edges.into_iter().chain(random) {
            let scalar = scalar.to_be_bytes::<32>();
            let ours = PrecompileBackends.bn254_g1_mul(&point, &scalar);
            assert_eq!(ours, DefaultCrypto.bn254_g1_mul(&point, &scalar), "{scalar:02x?} of {point:02x?}");
            point = ours.expect("a point of the group");
            if point == [0; 64] {
                point = generator();
            }
        }
    }

    #[test]
    fn point_multiplication_fails_like_the_default() {
        let field = PRIMES[1];
        let coordinates =
            [0, 1, 2, 3].map(U256::from).into_iter().chain([field - U256::ONE, field, U256::MAX]);
        let coordinates: Vec<U256> = coordinates.chain([field + U256::ONE, field - U256::from(2)]).collect();
        for x in &coordinates {
            for y in &coordinates {
                let point = [x.to_be_bytes::<32>(), y.to_be_bytes::<32>()].concat();
                for scalar in [U256::ZERO, U256::ONE, PRIMES[0], U256::MAX] {
                    let scalar = scalar.to_be_bytes::<32>();
                    let ours = PrecompileBackends.bn254_g1_mul(&point, &scalar);
                    assert_eq!(
                        ours,
                        DefaultCrypto.bn254_g1_mul(&point, &scalar),
                        "{scalar:02x?} of {point:02x?}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_installed_provider_stays() {
        let first = install_precompiles();
        assert!(!install_precompiles(), "one provider per process");
        let mut input = [0; 96].to_vec();
        (input[31], input[63], input[95]) = (1, 1, 1);
        input.extend([3, 4, 7]);
        let output = revm::precompile::modexp::berlin_run(&input, 1_000).expect("enough gas");
        assert_eq!((output.gas_used, &output.bytes[..]), (200, &[4][..]), "installed: {first}");
    }
}
