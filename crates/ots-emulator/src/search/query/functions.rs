//! Scores that functions compute.

use std::sync::{Arc, Mutex, PoisonError};

use ots_proto::search::{
    DecayMathFunction, FunctionCombineMode, FunctionModifier, FunctionScoreMode, GeoPoint,
    MultiValueMode,
};

use super::super::doc::Doc;
use super::super::field::{Field, Scalar};
use super::super::geo::distance_m;
use super::{Node, first_number, number};
use crate::stored::StoredRow;

/// A query whose scores functions change.
#[derive(Clone, Debug)]
pub(crate) struct FunctionsScore {
    pub(crate) query: Node,
    pub(crate) functions: Vec<ScoreFunction>,
    pub(crate) score_mode: FunctionScoreMode,
    pub(crate) combine_mode: FunctionCombineMode,
    pub(crate) min_score: Option<f64>,
    pub(crate) max_score: Option<f64>,
}

#[derive(Clone, Debug)]
pub(crate) struct ScoreFunction {
    pub(crate) function: Function,
    pub(crate) weight: f64,
    pub(crate) filter: Option<Node>,
}

#[derive(Clone, Debug)]
pub(crate) enum Function {
    /// The weight alone.
    Constant,
    Value {
        field: Arc<Field>,
        factor: f64,
        modifier: FunctionModifier,
        missing: Option<f64>,
    },
    /// Its scores come in the order in which rows are asked.
    Random(Arc<Mutex<fastrand::Rng>>),
    Decay(Decay),
}

/// A score that falls with the distance from an origin.
#[derive(Clone, Debug)]
pub(crate) struct Decay {
    pub(crate) field: Arc<Field>,
    pub(crate) curve: DecayMathFunction,
    pub(crate) origin: Origin,
    /// In metres, nanoseconds, or the field's own unit, as is the offset.
    pub(crate) scale: f64,
    pub(crate) offset: f64,
    /// The score at the distance `scale`.
    pub(crate) decay: f64,
    pub(crate) mode: MultiValueMode,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Origin {
    Number(f64),
    Point(GeoPoint),
}

impl FunctionsScore {
    pub(super) fn matches(&self, doc: Doc<'_>) -> bool {
        match self.min_score {
            None => self.query.matches(doc),
            Some(_) => self.score(doc).is_some(),
        }
    }

    pub(super) fn score(&self, doc: Doc<'_>) -> Option<f64> {
        let score = self.query.score(doc)?;
        let functions = self.functions.iter();
        let scores: Vec<_> = functions
            .filter_map(|function| function.score(doc))
            .collect();
        let joined = self.join(&scores);
        let joined = self.max_score.map_or(joined, |max| joined.min(max));
        let score = match self.combine_mode {
            // Where no function applies, the score stays.
            _ if scores.is_empty() => score,
            FunctionCombineMode::Multiply => score * joined,
            FunctionCombineMode::Avg => f64::midpoint(score, joined),
            FunctionCombineMode::Max => score.max(joined),
            FunctionCombineMode::Sum => score + joined,
            FunctionCombineMode::Min => score.min(joined),
            FunctionCombineMode::Replace => joined,
        };
        // Not even NaN is large enough.
        let enough = self.min_score.is_none_or(|min| score >= min);
        enough.then_some(score)
    }

    fn join(&self, scores: &[f64]) -> f64 {
        let scores = || scores.iter().copied();
        match self.score_mode {
            FunctionScoreMode::Avg => scores().sum::<f64>() / scores().count().max(1) as f64,
            FunctionScoreMode::Max => scores().fold(f64::NEG_INFINITY, f64::max),
            FunctionScoreMode::Sum => scores().sum(),
            FunctionScoreMode::Min => scores().fold(f64::INFINITY, f64::min),
            FunctionScoreMode::Multiply => scores().product(),
            FunctionScoreMode::First => scores().next().unwrap_or(1.0),
        }
    }

    pub(super) fn find_nearest(&mut self, rows: &[Arc<StoredRow>]) {
        self.query.find_nearest(rows);
        for function in &mut self.functions {
            if let Some(filter) = &mut function.filter {
                filter.find_nearest(rows);
            }
        }
    }
}

impl ScoreFunction {
    fn score(&self, doc: Doc<'_>) -> Option<f64> {
        if self
            .filter
            .as_ref()
            .is_some_and(|filter| !filter.matches(doc))
        {
            return None;
        }
        let score = match &self.function {
            Function::Constant => 1.0,
            Function::Random(random) => random.lock().unwrap_or_else(PoisonError::into_inner).f64(),
            Function::Value {
                field,
                factor,
                modifier,
                missing,
            } => {
                let value = first_number(field, doc).or(*missing)?;
                modified(value * factor, *modifier)
            }
            Function::Decay(decay) => decay.score(doc),
        };
        Some(score * self.weight)
    }
}

/// Of a value that has no logarithm or root, the score is 0.
fn modified(value: f64, modifier: FunctionModifier) -> f64 {
    let score = match modifier {
        FunctionModifier::None => value,
        FunctionModifier::Log => value.log10(),
        FunctionModifier::Log1p => (value + 1.0).log10(),
        FunctionModifier::Log2p => (value + 2.0).log10(),
        FunctionModifier::Ln => value.ln(),
        FunctionModifier::Ln1p => value.ln_1p(),
        FunctionModifier::Ln2p => (value + 2.0).ln(),
        FunctionModifier::Square => value * value,
        FunctionModifier::Sqrt => value.sqrt(),
        FunctionModifier::Reciprocal => value.recip(),
    };
    if score.is_finite() { score } else { 0.0 }
}

impl Decay {
    fn score(&self, doc: Doc<'_>) -> f64 {
        let mut distances = Vec::new();
        let fits = self.field.all(doc, |value| {
            let distance = match (self.origin, value) {
                (Origin::Point(origin), Scalar::Point(point)) => Some(distance_m(origin, point)),
                (Origin::Number(origin), value) => {
                    number(value).map(|value| (value - origin).abs())
                }
                _ => None,
            };
            distances.extend(distance);
        });
        if !fits || distances.is_empty() {
            return 1.0;
        }
        let count = distances.len() as f64;
        let distance = match self.mode {
            MultiValueMode::Min => distances.into_iter().fold(f64::INFINITY, f64::min),
            MultiValueMode::Max => distances.into_iter().fold(0.0, f64::max),
            MultiValueMode::Sum => distances.into_iter().sum(),
            MultiValueMode::Avg => distances.into_iter().sum::<f64>() / count,
        };
        let beyond = (distance - self.offset).max(0.0);
        match self.curve {
            DecayMathFunction::Gauss => {
                (self.decay.ln() * (beyond / self.scale) * (beyond / self.scale)).exp()
            }
            DecayMathFunction::Exp => (self.decay.ln() * beyond / self.scale).exp(),
            DecayMathFunction::Linear => {
                let end = self.scale / (1.0 - self.decay);
                ((end - beyond) / end).max(0.0)
            }
        }
    }
}
