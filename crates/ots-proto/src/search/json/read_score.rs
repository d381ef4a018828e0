//! JSON becomes functions that score rows.

use serde_json::Value;

use super::object::{Options, array, double, float, int32, point, text};
use super::read::query;
use super::{JsonError, word};
use crate::search::DateTimeValue;
use crate::search::query::place::Place;
use crate::search::query::{
    DateOrigin, DateParam, Decay, DecayParam, FieldValueFactor, Function, FunctionsScoreQuery,
    GeoParam, NumericParam, Query, ScoreFunction,
};

pub(super) fn functions_score(json: &Value, place: &Place<'_>) -> Result<Query, JsonError> {
    let known = [
        "query",
        "functions",
        "score_mode",
        "combine_mode",
        "min_score",
        "max_score",
    ];
    let options = Options::of(json, place, &known)?;
    let mut scored = FunctionsScoreQuery::new(options.required("query", query)?);
    let functions = options.optional("functions", |json, place| array(json, place, function))?;
    scored.functions = functions.unwrap_or_default();
    scored.score_mode = options.optional("score_mode", word::read)?;
    scored.combine_mode = options.optional("combine_mode", word::read)?;
    scored.min_score = options.optional("min_score", float)?;
    scored.max_score = options.optional("max_score", float)?;
    Ok(scored.into())
}

fn function(json: &Value, place: &Place<'_>) -> Result<ScoreFunction, JsonError> {
    let known = ["field_value_factor", "random", "decay", "weight", "filter"];
    let options = Options::of(json, place, &known)?;
    let function = match options.at_most_one(&["field_value_factor", "random", "decay"])? {
        Some("field_value_factor") => {
            let factor = options.required("field_value_factor", field_value_factor)?;
            Some(Function::FieldValueFactor(factor))
        }
        Some("decay") => Some(Function::Decay(options.required("decay", decay)?)),
        Some(name) => {
            options.required(name, |json, place| Options::of(json, place, &[]).map(drop))?;
            Some(Function::Random)
        }
        None => None,
    };
    Ok(ScoreFunction {
        function,
        weight: options.optional("weight", float)?,
        filter: options.optional("filter", query)?.map(Box::new),
    })
}

fn field_value_factor(json: &Value, place: &Place<'_>) -> Result<FieldValueFactor, JsonError> {
    let options = Options::of(json, place, &["field", "factor", "modifier", "missing"])?;
    let mut factor = FieldValueFactor::new(options.required("field", text)?);
    factor.factor = options.optional("factor", float)?;
    factor.modifier = options.optional("modifier", word::read)?;
    factor.missing = options.optional("missing", double)?;
    Ok(factor)
}

fn decay(json: &Value, place: &Place<'_>) -> Result<Decay, JsonError> {
    let known = [
        "field",
        "math_function",
        "date",
        "numeric",
        "geo",
        "decay",
        "multi_value_mode",
    ];
    let options = Options::of(json, place, &known)?;
    let param = match options.at_most_one(&["date", "numeric", "geo"])? {
        Some("date") => DecayParam::Date(options.required("date", date_param)?),
        Some("geo") => DecayParam::Geo(options.required("geo", geo_param)?),
        Some(name) => DecayParam::Numeric(options.required(name, numeric_param)?),
        None => {
            let problem = "one of \"date\", \"numeric\" and \"geo\" is missing";
            return Err(JsonError::new(place, problem));
        }
    };
    let math_function = options.required("math_function", word::read)?;
    let mut decay = Decay::new(options.required("field", text)?, math_function, param);
    decay.decay = options.optional("decay", double)?;
    decay.multi_value_mode = options.optional("multi_value_mode", word::read)?;
    Ok(decay)
}

fn date_param(json: &Value, place: &Place<'_>) -> Result<DateParam, JsonError> {
    let options = Options::of(json, place, &["origin", "scale", "offset"])?;
    let origin = options.required("origin", |json, place| match json {
        Value::String(text) => Ok(DateOrigin::from(text.as_str())),
        _ => json
            .as_i64()
            .map(DateOrigin::from)
            .ok_or_else(|| JsonError::new(place, "expected text, or a whole number since 1970")),
    })?;
    let mut param = DateParam::new(origin, options.required("scale", span)?);
    param.offset = options.optional("offset", span)?;
    Ok(param)
}

fn span(json: &Value, place: &Place<'_>) -> Result<DateTimeValue, JsonError> {
    let options = Options::of(json, place, &["value", "unit"])?;
    Ok(DateTimeValue::new(
        options.required("value", int32)?,
        options.required("unit", word::read)?,
    ))
}

fn numeric_param(json: &Value, place: &Place<'_>) -> Result<NumericParam, JsonError> {
    let options = Options::of(json, place, &["origin", "scale", "offset"])?;
    let origin = options.required("origin", double)?;
    let mut param = NumericParam::new(origin, options.required("scale", double)?);
    param.offset = options.optional("offset", double)?;
    Ok(param)
}

fn geo_param(json: &Value, place: &Place<'_>) -> Result<GeoParam, JsonError> {
    let options = Options::of(json, place, &["origin", "scale_metres", "offset_metres"])?;
    let origin = options.required("origin", point)?;
    let mut param = GeoParam::new(origin, options.required("scale_metres", double)?);
    param.offset_metres = options.optional("offset_metres", double)?;
    Ok(param)
}
