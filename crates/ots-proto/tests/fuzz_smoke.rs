//! The fuzz targets on their seeds, and on seeds that a few blows have changed: the same blows every
//! time, and not many. Long runs are made by hand, with `cargo xtask fuzz`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

use std::panic::catch_unwind;

use fastrand::Rng;
use ots_proto::operation;

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

const ROUNDS: usize = 15_000;

#[test]
fn damaged_seeds_upset_no_target() {
    for (target, _) in fuzz::TARGETS {
        let seeds = fuzz::seeds::seeds(target);
        assert!(seeds.len() >= 4, "{target} has {} seeds", seeds.len());
        let mut rng = Rng::with_seed(20_151_231);
        for (name, seed) in &seeds {
            run(target, seed, name);
        }
        for round in 0..ROUNDS {
            let (name, seed) = &seeds[rng.usize(..seeds.len())];
            let mut data = seed.clone();
            for _ in 0..rng.usize(1..4) {
                let (_, other) = &seeds[rng.usize(..seeds.len())];
                strike(&mut data, other, &mut rng);
            }
            run(target, &data, &format!("{name}, round {round}"));
        }
    }
}

/// What was found is told as bytes that can be made a test.
fn run(target: &str, data: &[u8], what: &str) {
    if catch_unwind(|| fuzz::run(target, data)).is_err() {
        panic!("{target}, {what}: {}", hex::encode(data));
    }
}

/// One blow: a bit, a byte, a number, a cut, a piece doubled, lost, or taken from another seed.
fn strike(data: &mut Vec<u8>, other: &[u8], rng: &mut Rng) {
    if data.is_empty() {
        data.extend_from_slice(other);
        return;
    }
    let at = rng.usize(..data.len());
    let end = data.len().min(at + rng.usize(1..16));
    match rng.u8(..8) {
        0 => data[at] ^= 1 << rng.u8(..8),
        1 => data[at] = rng.u8(..),
        2 => {
            let number = [i32::MAX, i32::MIN, -1, 0, 1, 0x100, 0x10000][rng.usize(..7)];
            for (place, byte) in data[at..].iter_mut().zip(number.to_le_bytes()) {
                *place = byte;
            }
        }
        3 => data.truncate(at),
        4 => drop(data.drain(at..end)),
        5 => {
            let piece = data[at..end].to_vec();
            drop(data.splice(at..at, piece));
        }
        6 if !other.is_empty() => {
            let from = rng.usize(..other.len());
            let to = other.len().min(from + rng.usize(1..64));
            drop(data.splice(at..end, other[from..to].iter().copied()));
        }
        _ => data.insert(at, rng.u8(..)),
    }
}

#[test]
fn every_operation_has_its_bodies_fuzzed() {
    let fuzzed = fuzz::messages::EXCHANGES.iter().map(|(name, ..)| *name);
    let all = operation::ALL.iter().map(|(name, _)| *name);
    assert!(fuzzed.eq(all), "the tables differ");
}
