//! Scores that fade with the distance from an origin.

use bytes::Bytes;
use prost::Message as _;

use super::decode::{self, required, required_point};
use super::place::Place;
use super::{QueryError, QueryErrorKind};
use crate::messages::{self, DecayFuncParamType, DecayMathFunction, MultiValueMode};
use crate::search::DateTimeValue;
use crate::search::geo::GeoPoint;

/// A score that is 1 at the origin and less the farther a field's value is from it. Rows without the
/// field have the score 1.
///
/// ```
/// use ots_proto::search::{
///     DateParam, DateTimeUnit, DateTimeValue, Decay, DecayMathFunction, GeoParam, GeoPoint,
///     NumericParam,
/// };
///
/// let near_100 = Decay::new("price", DecayMathFunction::Gauss, NumericParam::new(100.0, 20.0));
/// let month = DateTimeValue::new(1, DateTimeUnit::Month);
/// let recent = Decay::new("at", DecayMathFunction::Exp, DateParam::new("2026-01-01", month));
/// let lake = GeoPoint::new(30.25, 120.14)?;
/// let nearby = Decay::new("place", DecayMathFunction::Linear, GeoParam::new(lake, 1_000.0))
///     .decay(0.3);
/// # Ok::<(), ots_proto::search::GeoPointError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Decay {
    /// The field.
    pub field: String,
    /// The curve along which the score falls.
    pub math_function: DecayMathFunction,
    /// Where it begins to fall, and how fast.
    pub param: DecayParam,
    /// The score at the distance `scale`, between 0 and 1.
    pub decay: Option<f64>,
    /// Which of an array's values counts.
    pub multi_value_mode: Option<MultiValueMode>,
}

/// Where a score begins to fall, and how fast, for each type of field.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three types of field that have distances"
)]
pub enum DecayParam {
    /// For DATE.
    Date(DateParam),
    /// For LONG and DOUBLE.
    Numeric(NumericParam),
    /// For GEO_POINT.
    Geo(GeoParam),
}

/// Where in time a score begins to fall, and how fast.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct DateParam {
    /// The time with the score 1.
    pub origin: DateOrigin,
    /// The distance from it at which the score is `decay`.
    pub scale: DateTimeValue,
    /// Up to this distance the score stays 1.
    pub offset: Option<DateTimeValue>,
}

/// A time, in a form that the field has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a DATE field holds one or the other"
)]
pub enum DateOrigin {
    /// Since 1970, in the field's unit.
    Epoch(i64),
    /// Text in one of the field's formats.
    Text(String),
}

/// Around which number a score begins to fall, and how fast.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct NumericParam {
    /// The number with the score 1.
    pub origin: f64,
    /// The distance from it at which the score is `decay`.
    pub scale: f64,
    /// Up to this distance the score stays 1.
    pub offset: Option<f64>,
}

/// Around which point a score begins to fall, and how fast.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GeoParam {
    /// The point with the score 1.
    pub origin: GeoPoint,
    /// The distance from it at which the score is `decay`, in metres.
    pub scale_metres: f64,
    /// Up to this distance the score stays 1, in metres.
    pub offset_metres: Option<f64>,
}

impl Decay {
    /// A score that falls along this curve.
    pub fn new(
        field: impl Into<String>,
        math_function: DecayMathFunction,
        param: impl Into<DecayParam>,
    ) -> Self {
        Self {
            field: field.into(),
            math_function,
            param: param.into(),
            decay: None,
            multi_value_mode: None,
        }
    }

    /// The score at the distance `scale`, between 0 and 1.
    pub const fn decay(mut self, score: f64) -> Self {
        self.decay = Some(score);
        self
    }

    /// Which of an array's values counts.
    pub const fn multi_value_mode(mut self, mode: MultiValueMode) -> Self {
        self.multi_value_mode = Some(mode);
        self
    }

    pub(super) fn to_message(&self) -> messages::DecayFunction {
        let (param_type, param) = self.param.to_message();
        messages::DecayFunction {
            field_name: Some(self.field.clone()),
            math_function: Some(self.math_function.into()),
            param_type: Some(param_type.into()),
            param: Some(param),
            decay: self.decay,
            multi_value_mode: self.multi_value_mode.map(Into::into),
        }
    }

    pub(super) fn from_message(
        message: messages::DecayFunction,
        place: &Place<'_>,
    ) -> Result<Self, QueryError> {
        let at = &place.key("math_function");
        let math_function = required(decode::word(message.math_function, at)?, at)?;
        let at = &place.key("param_type");
        let param_type = required(decode::word(message.param_type, at)?, at)?;
        let at = &place.key("param");
        let param = required(message.param, at)?;
        Ok(Self {
            field: required(message.field_name, &place.key("field_name"))?,
            math_function,
            param: DecayParam::from_message(param_type, &param, at)?,
            decay: message.decay,
            multi_value_mode: decode::word(
                message.multi_value_mode,
                &place.key("multi_value_mode"),
            )?,
        })
    }
}

impl DateParam {
    /// Falls with the distance from `origin`.
    pub fn new(origin: impl Into<DateOrigin>, scale: DateTimeValue) -> Self {
        Self {
            origin: origin.into(),
            scale,
            offset: None,
        }
    }

    /// Stays 1 up to this distance.
    pub const fn offset(mut self, offset: DateTimeValue) -> Self {
        self.offset = Some(offset);
        self
    }

    fn from_message(
        message: messages::DecayFuncDateParam,
        place: &Place<'_>,
    ) -> Result<Self, QueryError> {
        let span = |message: &messages::DateTimeValue, name| {
            decode::part(DateTimeValue::from_message(message), &place.key(name))
        };
        let at = &place.key("origin_string");
        let origin = match (message.origin_long, message.origin_string) {
            (None, text) => DateOrigin::Text(required(text, at)?),
            (Some(epoch), None) => DateOrigin::Epoch(epoch),
            (Some(_), Some(_)) => {
                let with = "origin_long";
                return Err(QueryError::new(at, QueryErrorKind::Conflict { with }));
            }
        };
        Ok(Self {
            origin,
            scale: span(&required(message.scale, &place.key("scale"))?, "scale")?,
            offset: message
                .offset
                .map(|offset| span(&offset, "offset"))
                .transpose()?,
        })
    }
}

impl NumericParam {
    /// Falls with the distance from `origin`.
    pub const fn new(origin: f64, scale: f64) -> Self {
        Self {
            origin,
            scale,
            offset: None,
        }
    }

    /// Stays 1 up to this distance.
    pub const fn offset(mut self, offset: f64) -> Self {
        self.offset = Some(offset);
        self
    }

    fn from_message(
        message: &messages::DecayFuncNumericParam,
        place: &Place<'_>,
    ) -> Result<Self, QueryError> {
        Ok(Self {
            origin: required(message.origin, &place.key("origin"))?,
            scale: required(message.scale, &place.key("scale"))?,
            offset: message.offset,
        })
    }
}

impl GeoParam {
    /// Falls with the distance from `origin`.
    pub const fn new(origin: GeoPoint, scale_metres: f64) -> Self {
        Self {
            origin,
            scale_metres,
            offset_metres: None,
        }
    }

    /// Stays 1 up to this distance.
    pub const fn offset_metres(mut self, offset_metres: f64) -> Self {
        self.offset_metres = Some(offset_metres);
        self
    }

    fn from_message(
        message: messages::DecayFuncGeoParam,
        place: &Place<'_>,
    ) -> Result<Self, QueryError> {
        Ok(Self {
            origin: required_point(message.origin, &place.key("origin"))?,
            scale_metres: required(message.scale, &place.key("scale"))?,
            offset_metres: message.offset,
        })
    }
}

impl DecayParam {
    fn to_message(&self) -> (DecayFuncParamType, Bytes) {
        let (param_type, bytes) = match self {
            Self::Date(param) => {
                let (origin_long, origin_string) = match &param.origin {
                    DateOrigin::Epoch(epoch) => (Some(*epoch), None),
                    DateOrigin::Text(text) => (None, Some(text.clone())),
                };
                let message = messages::DecayFuncDateParam {
                    origin_long,
                    origin_string,
                    scale: Some(param.scale.to_message()),
                    offset: param.offset.map(DateTimeValue::to_message),
                };
                (DecayFuncParamType::DateParam, message.encode_to_vec())
            }
            Self::Numeric(param) => {
                let message = messages::DecayFuncNumericParam {
                    origin: Some(param.origin),
                    scale: Some(param.scale),
                    offset: param.offset,
                };
                (DecayFuncParamType::NumericParam, message.encode_to_vec())
            }
            Self::Geo(param) => {
                let message = messages::DecayFuncGeoParam {
                    origin: Some(param.origin.to_string()),
                    scale: Some(param.scale_metres),
                    offset: param.offset_metres,
                };
                (DecayFuncParamType::GeoParam, message.encode_to_vec())
            }
        };
        (param_type, bytes.into())
    }

    fn from_message(
        param_type: DecayFuncParamType,
        bytes: &Bytes,
        place: &Place<'_>,
    ) -> Result<Self, QueryError> {
        match param_type {
            DecayFuncParamType::DateParam => {
                DateParam::from_message(decode::message(Some(bytes), place)?, place).map(Self::Date)
            }
            DecayFuncParamType::NumericParam => {
                NumericParam::from_message(&decode::message(Some(bytes), place)?, place)
                    .map(Self::Numeric)
            }
            DecayFuncParamType::GeoParam => {
                GeoParam::from_message(decode::message(Some(bytes), place)?, place).map(Self::Geo)
            }
        }
    }
}

impl From<DateParam> for DecayParam {
    fn from(param: DateParam) -> Self {
        Self::Date(param)
    }
}

impl From<NumericParam> for DecayParam {
    fn from(param: NumericParam) -> Self {
        Self::Numeric(param)
    }
}

impl From<GeoParam> for DecayParam {
    fn from(param: GeoParam) -> Self {
        Self::Geo(param)
    }
}

impl From<i64> for DateOrigin {
    fn from(epoch: i64) -> Self {
        Self::Epoch(epoch)
    }
}

impl From<&str> for DateOrigin {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for DateOrigin {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
