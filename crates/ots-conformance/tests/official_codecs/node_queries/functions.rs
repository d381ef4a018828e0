//! Functions that score: a field's value, a decay, chance.

use ots_proto::search::{DateOrigin, DateTimeValue, DecayParam, Function, ScoreFunction};
use serde_json::{Value as Json, json};

use super::{not_zero, object, say as say_query};

pub(super) fn say(of: &mut ScoreFunction) -> Json {
    not_zero(&mut of.weight);
    let filter = of.filter.as_deref_mut();
    let (name, body) = match &mut of.function {
        None => ("none", Json::Null),
        Some(Function::Random) => ("randomFunction", json!({})),
        Some(Function::FieldValueFactor(factor)) => {
            let modifier = factor.modifier;
            let body = [
                ("fieldName", json!(factor.field)),
                ("factor", json!(factor.factor)),
                (
                    "modifier",
                    word!(modifier, "FunctionModifier", "FUNCTION_MODIFIER_", "FM_"),
                ),
                ("missing", json!(factor.missing)),
            ];
            ("fieldValueFactorFunction", object(body))
        }
        Some(Function::Decay(decay)) => {
            not_zero(&mut decay.decay);
            let (kind, param) = decay_param(&mut decay.param);
            let math = Some(decay.math_function);
            let mode = decay.multi_value_mode;
            let body = [
                ("fieldName", json!(decay.field)),
                (
                    "mathFunction",
                    word!(math, "MathFunction", "DECAY_MATH_FUNCTION_", ""),
                ),
                (
                    "decayParamType",
                    json!({ "enum": format!("DecayFuncParamType.{kind}") }),
                ),
                ("decayParam", param),
                ("decay", json!(decay.decay)),
                (
                    "multiValueMode",
                    word!(mode, "MultiValueMode", "MULTI_VALUE_MODE_", "MVM_"),
                ),
            ];
            ("decayFunction", object(body))
        }
        Some(newer) => panic!("no word for {newer:?}"),
    };
    object([
        ("weight", json!(of.weight)),
        ("filter", filter.map_or(Json::Null, say_query)),
        (name, body),
    ])
}

fn decay_param(of: &mut DecayParam) -> (&'static str, Json) {
    match of {
        DecayParam::Date(date) => {
            let (epoch, text) = match &mut date.origin {
                DateOrigin::Epoch(epoch) => {
                    // A number of its language, which has 53 bits.
                    *epoch &= (1 << 53) - 1;
                    (json!(epoch), Json::Null)
                }
                DateOrigin::Text(text) => (Json::Null, json!(text)),
            };
            let body = [
                ("originLong", epoch),
                ("originString", text),
                ("scale", span(&date.scale)),
                ("offset", date.offset.as_ref().map_or(Json::Null, span)),
            ];
            ("DF_DATE_PARAM", object(body))
        }
        DecayParam::Numeric(numeric) => {
            let body = [
                ("origin", json!(numeric.origin)),
                ("scale", json!(numeric.scale)),
                ("offset", json!(numeric.offset)),
            ];
            ("DF_NUMERIC_PARAM", object(body))
        }
        DecayParam::Geo(geo) => {
            let body = [
                ("origin", json!(geo.origin.to_string())),
                ("scale", json!(geo.scale_metres)),
                ("offset", json!(geo.offset_metres)),
            ];
            ("DF_GEO_PARAM", object(body))
        }
    }
}

fn span(of: &DateTimeValue) -> Json {
    let unit = Some(of.unit);
    json!({ "value": of.value, "unit": word!(unit, "DateTimeUnit", "DATE_TIME_UNIT_", "") })
}
