//! Times of the precompile back ends: those of revm by default and those of `PrecompileBackends`.
//!
//! Prints, for each operation, the least time of one call over interleaved rounds.

use alloy_primitives::hex;
use std::{
    hint::black_box,
    time::{Duration, Instant},
};
use tandem_evm::{
    PrecompileBackends,
    revm::precompile::{Crypto, DefaultCrypto, kzg_point_evaluation, secp256k1},
};

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(4);

/// One row per back end. All of them run in each round, so that a busy machine slows down all of them.
fn rows(operation: &str, backends: &mut [(&str, &mut dyn FnMut())]) {
    let mut best = vec![Duration::MAX; backends.len()];
    for _ in 0..ROUNDS {
        for (best, (_, call)) in best.iter_mut().zip(backends.iter_mut()) {
            let start = Instant::now();
            call();
            let once = start.elapsed().max(Duration::from_nanos(1));
            let calls = (ROUND.as_nanos() / once.as_nanos()).clamp(1, 10_000) as u32;
            let start = Instant::now();
            for _ in 0..calls {
                call();
            }
            *best = (*best).min(start.elapsed() / calls);
        }
    }
    for (best, (backend, _)) in best.iter().zip(backends) {
        println!("{operation:<40} {backend:<16} {:>12.2} us", best.as_secs_f64() * 1e6);
    }
}

fn compare(operation: &str, call: impl Fn(&dyn Crypto)) {
    rows(
        operation,
        &mut [("default", &mut || call(&DefaultCrypto)), ("installed", &mut || call(&PrecompileBackends))],
    );
}

/// Bytes without structure, the highest bit set.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes: Vec<u8> = (0..len)
        .map(|_| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (state >> 56) as u8
        })
        .collect();
    if let Some(first) = bytes.first_mut() {
        *first |= 0x80;
    }
    bytes
}

fn main() {
    let field = hex!("30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001");
    let mut inversion = field;
    inversion[28..].copy_from_slice(&[0xef, 0xff, 0xff, 0xff]);
    let value = hex!("1c76476f4def4bb94541d57ebba1193381ffa7aa76ada664dd31c16024c43f59");
    compare("modexp, 32 bytes, inversion", |crypto| {
        black_box(crypto.modexp(black_box(&value), &inversion, &field)).ok();
    });
    for len in [32, 64, 128, 256, 512, 1024] {
        let base = noise(len, 1);
        let full = noise(len, 2);
        for (parity, low) in [("odd", 1), ("even", 2)] {
            let mut modulus = noise(len, 3);
            modulus[len - 1] = low;
            for (name, exponent) in [("3", &[3][..]), ("65537", &[1, 0, 1]), ("full", &full)] {
                compare(&format!("modexp, {len} bytes, {parity}, exponent {name}"), |crypto| {
                    black_box(crypto.modexp(black_box(&base), exponent, &modulus)).ok();
                });
            }
        }
    }

    let p = hex!(
        "18b18acfb4c2c30276db5411368e7185b311dd124691610c5d3b74034e093dc9"
        "063c909c4720840cb5134cb9f59fa749755796819658d32efc0d288198f37266"
    );
    let q = hex!(
        "07c2b7f58a84bd6145f00c9c2bc0bb1a187f20ff2c92963a88019e7c6a014eed"
        "06614e20c147e940f2d70da3f74c9a17df361706a4485c742bd6788478fa17d7"
    );
    let scalar = hex!("26614e20c147e940f2d70da3f74c9a17df361706a4485c742bd6788478fa17d7");
    compare("bn254 multiplication", |crypto| {
        black_box(crypto.bn254_g1_mul(black_box(&p), &scalar)).ok();
    });
    rows(
        "bn254 addition",
        &mut [("default", &mut || {
            black_box(DefaultCrypto.bn254_g1_add(black_box(&p), &q)).ok();
        })],
    );
    let g2 = hex!(
        "209dd15ebff5d46c4bd888e51a93cf99a7329636c63514396b4a452003a35bf7"
        "04bf11ca01483bfa8b34b43561848d28905960114c8ac04049af4b6315a41678"
        "2bb8324af6cfc93537a2ad1a445cfd0ca2a71acd7ac41fadbf933c2a51be344d"
        "120a2a4cf30c1bf9845f20c6fe39e07ea2cce61f0c9bb048165fe5e4de877550"
    );
    rows(
        "bn254 pairing, 2 pairs",
        &mut [("default", &mut || {
            black_box(DefaultCrypto.bn254_pairing_check(&[(black_box(&p), &g2), (&q, &g2)])).ok();
        })],
    );

    let message = hex!("82ff40c0a986c6a5cfad4ddf4c3aa6996f1a7837f9c398e17e5de5cbd5a12b28");
    let signature = hex!(
        "99e71a99cb2270b8cac5254f9e99b6210c6c10224a1579cf389ef88b20a1abe9"
        "129ff05af364204442bdb53ab6f18a99ab48acc9326fa689f228040429e3ca66"
    );
    assert!(DefaultCrypto.secp256k1_ecrecover(&signature, 0, &message).is_ok());
    rows(
        "ecrecover",
        &mut [
            ("libsecp256k1", &mut || {
                black_box(DefaultCrypto.secp256k1_ecrecover(black_box(&signature), 0, &message)).ok();
            }),
            ("k256", &mut || {
                black_box(secp256k1::k256::ecrecover(black_box(&signature).into(), 0, (&message).into()))
                    .ok();
            }),
        ],
    );

    let message = hex!("4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d");
    let signature = hex!(
        "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac"
        "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60"
    );
    let key = hex!(
        "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3"
        "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e"
    );
    assert!(DefaultCrypto.secp256r1_verify_signature(&message, &signature, &key));
    rows(
        "p256verify",
        &mut [("default", &mut || {
            black_box(DefaultCrypto.secp256r1_verify_signature(black_box(&message), &signature, &key));
        })],
    );

    let commitment = hex!(
        "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7"
    );
    let z = hex!("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000");
    let y = hex!("1522a4a7f34e1ea350ae07c29c96c7e79655aa926122e95fe69fcbd932ca49e9");
    let proof = hex!(
        "a62ad71d14c5719385c0686f1871430475bf3a00f0aa3f7b8dd99a9abc2160744faf0070725e00b60ad9a026a15b1a8c"
    );
    let start = Instant::now();
    assert!(DefaultCrypto.verify_kzg_proof(&z, &y, &commitment, &proof).is_ok());
    let first = start.elapsed();
    println!("{:<40} {:<16} {:>12.2} us", "kzg, first call", "blst", first.as_secs_f64() * 1e6);
    rows(
        "kzg",
        &mut [
            ("blst", &mut || {
                black_box(DefaultCrypto.verify_kzg_proof(black_box(&z), &y, &commitment, &proof)).ok();
            }),
            ("arkworks", &mut || {
                black_box(kzg_point_evaluation::arkworks::verify_kzg_proof(
                    black_box(&commitment),
                    &z,
                    &y,
                    &proof,
                ));
            }),
        ],
    );
}
