//! Ten thousand worlds, each made from a number: a table, a service with its faults, a caller with its
//! habits. In each, what the policy promises is held against what the service knows.
//!
//! A world that fails says its number; `OTS_WORLD=number cargo test -p ots-scan --test simulation --
//! --include-ignored` plays it alone. There are as many others as anybody likes: `OTS_WORLDS=20000..70000
//! cargo test -p ots-scan --test simulation -- --ignored` plays those.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod caller;
mod model;
mod promises;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use fastrand::Rng;
use ots_scan::ScanErrorKind;
use world::World;

/// Plays one world, and says what its end was; and whether keys were on disk then.
fn play(number: u64) -> (&'static str, bool) {
    let mut rng = Rng::with_seed(number);
    let world = if is_of_cursors(number) {
        World::of_cursors(&mut rng)
    } else if number % 5 == 1 {
        World::of_two(&mut rng)
    } else {
        World::new(&mut rng)
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let played = catch_unwind(AssertUnwindSafe(|| {
        let model = world.model(&mut rng);
        let given = runtime.block_on(async {
            // No pause of the caller's is longer than a minute and a half.
            let a_week = Duration::from_secs(7 * 86_400);
            let played = tokio::time::timeout(a_week, world.play(&model, &mut rng));
            played.await.expect("stuck")
        });
        world.check(&given, &model);
        given
    }));
    match played {
        Ok(given) => {
            let progress = given.progress.unwrap();
            let end = match given.ended {
                None if given.unread.is_some() => "unread",
                None => "dropped",
                Some(Ok(())) if progress.generation > 0 => "restarted",
                Some(Ok(())) => "complete",
                Some(Err(error)) => match error.kind() {
                    ScanErrorKind::SessionExpired { .. } => "expired",
                    ScanErrorKind::Row { .. } => "damaged",
                    ScanErrorKind::TokenMoved { .. } => "moved",
                    _ => "failed",
                },
            };
            (end, progress.keys_disk_bytes > 0)
        }
        Err(panic) => {
            eprintln!("OTS_WORLD={number} plays this again: {world:#?}");
            resume_unwind(panic)
        }
    }
}

fn play_all(worlds: std::ops::Range<u64>, expected: &[&str]) {
    if let Some(number) = std::env::var("OTS_WORLD")
        .ok()
        .and_then(|it| it.parse().ok())
    {
        if worlds.contains(&number) {
            play(number);
        }
        return;
    }
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let count = worlds.end - worlds.start;
    for number in worlds {
        let (end, spilled) = play(number);
        *ends.entry(end).or_default() += 1;
        *ends.entry("spilled").or_default() += u64::from(spilled);
    }
    // A simulation in which nothing happens proves nothing.
    for end in expected {
        let share = ends.get(end).copied().unwrap_or_default();
        assert!(share * 100 >= count, "too few are {end}: {ends:?}");
    }
}

/// The worlds of services whose tokens can't be asked twice.
const CURSORS: std::ops::Range<u64> = 10_000..11_000;

/// Of those beyond, as large a part.
fn is_of_cursors(number: u64) -> bool {
    CURSORS.contains(&number) || number >= CURSORS.end && number.is_multiple_of(11)
}

/// What the worlds of a service within its rights end with.
const ENDS: &[&str] = &[
    "complete",
    "restarted",
    "expired",
    "damaged",
    "unread",
    "dropped",
    "failed",
    "spilled",
];

#[test]
fn a_service_whose_tokens_cannot_be_asked_twice_loses_nothing_in_silence() {
    play_all(CURSORS, &["complete", "moved"]);
}

// In parts, so that they are played side by side.

#[test]
fn the_first_worlds_keep_every_promise() {
    play_all(0..2_500, ENDS);
}

#[test]
fn the_second_worlds_keep_every_promise() {
    play_all(2_500..5_000, ENDS);
}

#[test]
fn the_third_worlds_keep_every_promise() {
    play_all(5_000..7_500, ENDS);
}

#[test]
fn the_last_worlds_keep_every_promise() {
    play_all(7_500..10_000, ENDS);
}

#[test]
#[ignore = "for whoever has the time"]
fn all_other_worlds_keep_every_promise() {
    let wanted = std::env::var("OTS_WORLDS");
    let wanted = wanted.as_deref().unwrap_or("11000..21000");
    let (from, to) = wanted.split_once("..").expect("as in 20000..70000");
    if std::env::var_os("OTS_WORLD").is_some() {
        play_all(CURSORS.end..u64::MAX, &[]);
    } else {
        play_all(from.parse().unwrap()..to.parse().unwrap(), &[]);
    }
}
