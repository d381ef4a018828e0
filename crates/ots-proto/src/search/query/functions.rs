//! A query scored by functions.

use super::decay::Decay;
use super::decode::{self, required};
use super::place::Place;
use super::{Kind, Query, QueryError, QueryErrorKind};
use crate::bounded;
use crate::messages::{self, FunctionCombineMode, FunctionModifier, FunctionScoreMode, QueryType};

/// Rows that match a query, scored by functions.
///
/// ```
/// use ots_proto::search::{
///     Decay, DecayMathFunction, FieldValueFactor, FunctionCombineMode, FunctionModifier,
///     FunctionScoreMode, NumericParam, Query, ScoreFunction,
/// };
///
/// let popular = FieldValueFactor::new("likes").modifier(FunctionModifier::Log1p).missing(1.0);
/// let around_100 = Decay::new("price", DecayMathFunction::Gauss, NumericParam::new(100.0, 20.0));
/// let query: Query = Query::functions_score(Query::match_text("title", "tea"))
///     .function(popular)
///     .function(ScoreFunction::from(around_100).weight(2.0))
///     .function(ScoreFunction::constant(5.0).filter(Query::term("city", "Hangzhou")))
///     .score_mode(FunctionScoreMode::Sum)
///     .combine_mode(FunctionCombineMode::Multiply)
///     .into();
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct FunctionsScoreQuery {
    /// What must match.
    pub query: Box<Query>,
    /// The functions.
    pub functions: Vec<ScoreFunction>,
    /// How the functions' scores join each other.
    pub score_mode: Option<FunctionScoreMode>,
    /// How the functions' score joins the query's.
    pub combine_mode: Option<FunctionCombineMode>,
    /// Rows with a lower score don't match.
    pub min_score: Option<f32>,
    /// No score is higher than this.
    pub max_score: Option<f32>,
}

/// A function that scores rows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct ScoreFunction {
    /// What it computes; the weight alone when absent.
    pub function: Option<Function>,
    /// Multiplies what it computes; 1.0 when absent.
    pub weight: Option<f32>,
    /// Only rows that match it are scored by the function.
    pub filter: Option<Box<Query>>,
}

/// What a function computes for a row.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Function {
    /// The value of a field.
    FieldValueFactor(FieldValueFactor),
    /// Something else each time.
    Random,
    /// How near a field's value is to an origin.
    Decay(Decay),
}

/// The value of a field, as a score.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct FieldValueFactor {
    /// The field.
    pub field: String,
    /// Multiplies the value, before the modifier.
    pub factor: Option<f32>,
    /// What becomes of the value.
    pub modifier: Option<FunctionModifier>,
    /// The value of rows without the field.
    pub missing: Option<f64>,
}

impl FunctionsScoreQuery {
    /// Rows that match `query`, without functions yet.
    pub fn new(query: impl Into<Query>) -> Self {
        Self {
            query: Box::new(query.into()),
            functions: Vec::new(),
            score_mode: None,
            combine_mode: None,
            min_score: None,
            max_score: None,
        }
    }

    /// One more function: a [`ScoreFunction`], or what it computes.
    pub fn function(mut self, function: impl Into<ScoreFunction>) -> Self {
        self.functions.push(function.into());
        self
    }

    /// How the functions' scores join each other.
    pub const fn score_mode(mut self, mode: FunctionScoreMode) -> Self {
        self.score_mode = Some(mode);
        self
    }

    /// How the functions' score joins the query's.
    pub const fn combine_mode(mut self, mode: FunctionCombineMode) -> Self {
        self.combine_mode = Some(mode);
        self
    }

    /// Rows with a lower score don't match.
    pub const fn min_score(mut self, score: f32) -> Self {
        self.min_score = Some(score);
        self
    }

    /// No score is higher than this.
    pub const fn max_score(mut self, score: f32) -> Self {
        self.max_score = Some(score);
        self
    }
}

impl ScoreFunction {
    /// Something else each time.
    pub const fn random() -> Self {
        Self::new(Some(Function::Random))
    }

    /// The same score for every row: best with a filter.
    pub const fn constant(weight: f32) -> Self {
        Self::new(None).weight(weight)
    }

    /// Multiplies what it computes.
    pub const fn weight(mut self, weight: f32) -> Self {
        self.weight = Some(weight);
        self
    }

    /// Only rows that match `query` are scored by it.
    pub fn filter(mut self, query: impl Into<Query>) -> Self {
        self.filter = Some(Box::new(query.into()));
        self
    }

    const fn new(function: Option<Function>) -> Self {
        Self {
            function,
            weight: None,
            filter: None,
        }
    }

    fn to_message(&self) -> messages::Function {
        let mut message = messages::Function {
            weight: self.weight,
            filter: self.filter.as_deref().map(Query::to_message),
            ..messages::Function::default()
        };
        match &self.function {
            Some(Function::FieldValueFactor(factor)) => {
                message.field_value_factor = Some(factor.to_message());
            }
            Some(Function::Random) => message.random = Some(messages::RandomScoreFunction {}),
            Some(Function::Decay(decay)) => message.decay = Some(decay.to_message()),
            None => {}
        }
        message
    }

    fn from_message(message: messages::Function, place: &Place<'_>) -> Result<Self, QueryError> {
        let conflict = |name, with| {
            let kind = QueryErrorKind::Conflict { with };
            Err(QueryError::new(&place.key(name), kind))
        };
        let function = match (message.field_value_factor, message.random, message.decay) {
            (None, None, None) => None,
            (Some(factor), None, None) => {
                let at = &place.key("field_value_factor");
                let factor = FieldValueFactor::from_message(factor, at)?;
                Some(Function::FieldValueFactor(factor))
            }
            (None, Some(_), None) => Some(Function::Random),
            (None, None, Some(decay)) => {
                let decay = Decay::from_message(decay, &place.key("decay"))?;
                Some(Function::Decay(decay))
            }
            (Some(_), Some(_), _) => return conflict("random", "field_value_factor"),
            (Some(_), None, Some(_)) => return conflict("decay", "field_value_factor"),
            (None, Some(_), Some(_)) => return conflict("decay", "random"),
        };
        let filter = message.filter.as_ref();
        Ok(Self {
            function,
            weight: message.weight,
            filter: filter
                .map(|filter| Query::decode_boxed(Some(filter), &place.key("filter")))
                .transpose()?,
        })
    }
}

impl FieldValueFactor {
    /// The value of `field`, as it is.
    pub fn new(field: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            factor: None,
            modifier: None,
            missing: None,
        }
    }

    /// Multiplies the value, before the modifier.
    pub const fn factor(mut self, factor: f32) -> Self {
        self.factor = Some(factor);
        self
    }

    /// What becomes of the value.
    pub const fn modifier(mut self, modifier: FunctionModifier) -> Self {
        self.modifier = Some(modifier);
        self
    }

    /// The value of rows without the field.
    pub const fn missing(mut self, value: f64) -> Self {
        self.missing = Some(value);
        self
    }

    fn to_message(&self) -> messages::FieldValueFactorFunction {
        messages::FieldValueFactorFunction {
            field_name: Some(self.field.clone()),
            factor: self.factor,
            modifier: self.modifier.map(Into::into),
            missing: self.missing,
        }
    }

    fn from_message(
        message: messages::FieldValueFactorFunction,
        place: &Place<'_>,
    ) -> Result<Self, QueryError> {
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            factor: message.factor,
            modifier: decode::word(message.modifier, &place.key("modifier"))?,
            missing: message.missing,
        })
    }
}

impl From<Function> for ScoreFunction {
    fn from(function: Function) -> Self {
        Self::new(Some(function))
    }
}

impl From<FieldValueFactor> for ScoreFunction {
    fn from(factor: FieldValueFactor) -> Self {
        Function::FieldValueFactor(factor).into()
    }
}

impl From<Decay> for ScoreFunction {
    fn from(decay: Decay) -> Self {
        Function::Decay(decay).into()
    }
}

impl Kind for FunctionsScoreQuery {
    const TYPE: QueryType = QueryType::FunctionsScore;
    type Message = messages::FunctionsScoreQuery;

    fn to_message(&self) -> Self::Message {
        let functions = self.functions.iter();
        messages::FunctionsScoreQuery {
            query: Some(self.query.to_message()),
            functions: functions.map(ScoreFunction::to_message).collect(),
            score_mode: self.score_mode.map(Into::into),
            combine_mode: self.combine_mode.map(Into::into),
            min_score: self.min_score,
            max_score: self.max_score,
        }
    }

    fn from_message(message: Self::Message, place: &Place<'_>) -> Result<Self, QueryError> {
        let at = &place.key("functions");
        let functions = message.functions.into_iter().enumerate();
        let functions = functions
            .map(|(index, function)| ScoreFunction::from_message(function, &at.index(index)));
        Ok(Self {
            query: Query::decode_boxed(message.query.as_ref(), &place.key("query"))?,
            functions: bounded::collect(functions)?,
            score_mode: decode::word(message.score_mode, &place.key("score_mode"))?,
            combine_mode: decode::word(message.combine_mode, &place.key("combine_mode"))?,
            min_score: message.min_score,
            max_score: message.max_score,
        })
    }
}
