//! Many random values, a few questions about each, and the smallest value that fails one.

use std::fmt::Debug;
use std::time::Instant;

use ots_conformance::SKIP_VARIABLE;
use ots_conformance::codec::Codec;
use ots_conformance::driver::Driver;
use ots_conformance::workspace::Workspace;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value as Json, json};

/// Another seed than the usual one, to look further: a number.
pub(crate) const SEED_VARIABLE: &str = "OTS_CONFORMANCE_SEED";
/// How many values travel in one question.
const BATCH: usize = 200;
/// How many smaller values are tried after a failure.
const SHRINK_LIMIT: usize = 2_000;

/// The codec of an SDK.
pub(crate) struct Referee(Codec);

/// A question about a value.
pub(crate) struct Question<T> {
    /// Its name in the codec program.
    pub(crate) ask: &'static str,
    /// What the program is told; null leaves the value out.
    pub(crate) case: fn(&T) -> Json,
    /// Whether the answer is right, and what is wrong with it.
    pub(crate) check: fn(&T, &Json) -> Result<(), String>,
}

impl Referee {
    /// The codec of the Python SDK, installed; `None` when it is to be left out.
    pub(crate) fn python() -> Option<Self> {
        Self::of("python")
    }

    /// The codec of the Node.js SDK, in the same way.
    pub(crate) fn node() -> Option<Self> {
        Self::of("node")
    }

    fn of(name: &str) -> Option<Self> {
        let workspace = Workspace::locate().unwrap();
        let drivers = Driver::all(&workspace).unwrap();
        let driver = drivers.iter().find(|driver| driver.name() == name);
        let driver = driver.expect("a folder of this name among the drivers");
        let skipped = std::env::var(SKIP_VARIABLE).unwrap_or_default();
        if skipped.split(',').any(|name| name.trim() == driver.name()) {
            eprintln!(
                "{} is left out, as {SKIP_VARIABLE} says: its codec is not compared",
                driver.title()
            );
            return None;
        }
        driver
            .install()
            .unwrap_or_else(|e| panic!("{e}: {:?}", std::error::Error::source(&e)));
        Some(Self(Codec::start(driver).unwrap()))
    }

    /// Asks every question about `count` random values.
    ///
    /// # Panics
    ///
    /// When an answer is wrong, with the smallest value found for which one is.
    pub(crate) fn ask_about<S: Strategy>(
        &mut self,
        what: &str,
        count: usize,
        strategy: &S,
        questions: &[Question<S::Value>],
    ) where
        S::Value: Debug,
    {
        let start = Instant::now();
        let seed = std::env::var(SEED_VARIABLE).ok();
        let seed = seed.map_or(20_26, |seed| seed.parse().expect("a number"));
        let mut runner = runner(seed);
        let mut asked = 0;
        let mut done = 0;
        while done < count {
            let size = BATCH.min(count - done);
            let trees: Vec<_> = (0..size)
                .map(|_| strategy.new_tree(&mut runner).unwrap())
                .collect();
            let values: Vec<_> = trees.iter().map(ValueTree::current).collect();
            for question in questions {
                let results = self.results(question, &values);
                asked += results.iter().filter(|result| result.is_some()).count();
                let failed = results
                    .iter()
                    .position(|result| matches!(result, Some(Err(_))));
                if let Some(at) = failed {
                    let tree = trees.into_iter().nth(at).unwrap();
                    let report = self.smallest(question, tree);
                    panic!(
                        "{what} {} of seed {seed} ({SEED_VARIABLE}): {report}",
                        done + at
                    );
                }
            }
            done += size;
        }
        let took = start.elapsed().as_secs_f32();
        eprintln!("{what}: {count} compared in {asked} answers, {took:.1} s");
    }

    /// What is wrong with each answer; `None` where nothing was asked.
    fn results<T>(
        &mut self,
        question: &Question<T>,
        values: &[T],
    ) -> Vec<Option<Result<(), String>>> {
        let cases: Vec<Json> = values.iter().map(question.case).collect();
        let told: Vec<Json> = cases
            .iter()
            .filter(|case| !case.is_null())
            .cloned()
            .collect();
        let mut answers = self.0.ask(question.ask, &told).unwrap().into_iter();
        let results = values.iter().zip(&cases).map(|(value, case)| {
            if case.is_null() {
                return None;
            }
            let answer = answers.next().expect("an answer for each case");
            Some(answer.and_then(|answer| (question.check)(value, &answer)))
        });
        results.collect()
    }

    fn smallest<V: ValueTree>(&mut self, question: &Question<V::Value>, mut tree: V) -> String
    where
        V::Value: Debug,
    {
        let mut fault = |tree: &V| {
            let result = self.results(question, &[tree.current()]).pop().flatten();
            result.and_then(Result::err)
        };
        let mut worst = fault(&tree).unwrap_or_else(|| "only in company of others".to_owned());
        let mut smallest = tree.current();
        for _ in 0..SHRINK_LIMIT {
            let failed = fault(&tree);
            let moved = match failed {
                Some(found) => {
                    worst = found;
                    smallest = tree.current();
                    tree.simplify()
                }
                None => tree.complicate(),
            };
            if !moved {
                break;
            }
        }
        let case = json!({ "ask": question.ask, "cases": [(question.case)(&smallest)] });
        format!("{worst}\nasked: {case}\nfrom: {smallest:#?}")
    }
}

fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}

/// Whether two buffers are one, and where they part.
pub(crate) fn same_bytes(theirs: &Json, ours: &[u8]) -> Result<(), String> {
    let ours = hex::encode(ours);
    let theirs = theirs.as_str().ok_or("the answer is not a buffer")?;
    if theirs == ours {
        return Ok(());
    }
    let same = theirs.bytes().zip(ours.bytes()).take_while(|(a, b)| a == b);
    let offset = same.count() / 2;
    Err(format!(
        "differs from byte {offset} on\ntheirs: {theirs}\nours:   {ours}"
    ))
}

/// Whether what we read from their bytes is what it was.
pub(crate) fn same_value<T: PartialEq + Debug, E: Debug>(
    read: Result<T, E>,
    expected: &T,
) -> Result<(), String> {
    match read {
        Ok(value) if value == *expected => Ok(()),
        read => Err(format!("we read their bytes as {read:?}")),
    }
}
