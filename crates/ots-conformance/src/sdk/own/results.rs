//! What a search says beside its rows.

use ots_core::ColumnValue;
use ots_proto::NameCache;
use ots_proto::plainbuffer::SeparateRows;
use ots_proto::search::{
    AggregationResult, AggregationResults, CompositePage, GeoPoint, Group, GroupByResult,
    GroupByResults, GroupRange, SearchHit,
};
use serde_json::{Map, Value as Json, json};

use super::values::{double, rows, value};
use super::{Outcome, Said, failed};

pub(super) fn hit(hit: &SearchHit) -> Json {
    let highlights = hit.highlights.iter();
    let inner = hit.inner_hits.iter();
    json!({
        "score": hit.score.map(double),
        "highlights": highlights
            .map(|field| (field.field.clone(), json!(field.fragments)))
            .collect::<Map<_, _>>(),
        "inner": inner
            .map(|inner| (inner.path.clone(), inner.hits.iter().map(self::hit).collect()))
            .collect::<Map<_, Json>>(),
        "offset": hit.nested_doc_offset,
    })
}

pub(super) fn aggregations(results: &AggregationResults) -> Outcome {
    let said = results.iter().map(|(name, result)| {
        let said = match result {
            AggregationResult::Avg(value)
            | AggregationResult::Max(value)
            | AggregationResult::Min(value)
            | AggregationResult::Sum(value) => json!(value.map(double)),
            AggregationResult::Count(count) | AggregationResult::DistinctCount(count) => {
                json!(count)
            }
            AggregationResult::TopRows(buffers) => {
                let mut names = NameCache::default();
                let mut reader = SeparateRows::new(buffers);
                let mut read = Vec::new();
                while let Some(row) = reader.next_row().map_err(failed)? {
                    read.push(row.to_row(&mut names));
                }
                json!({ "rows": rows(&read)? })
            }
            AggregationResult::Percentiles(percentiles) => {
                let percentiles = percentiles.iter();
                let pairs =
                    percentiles.map(|p| json!([double(p.percent), p.value.as_ref().map(value)]));
                pairs.collect()
            }
            _ => Json::Null,
        };
        Ok((name.to_owned(), said))
    });
    Ok(Json::Object(said.collect::<Result<_, Said>>()?))
}

pub(super) fn group_bys(results: &GroupByResults) -> Outcome {
    let said = results
        .iter()
        .map(|(name, result)| Ok((name.to_owned(), group_by(result)?)));
    Ok(Json::Object(said.collect::<Result<_, Said>>()?))
}

fn group_by(result: &GroupByResult) -> Outcome {
    match result {
        GroupByResult::Field(all) => groups(all, |key| json!({ "key": key })),
        GroupByResult::Range(all) | GroupByResult::GeoDistance(all) => groups(all, range),
        GroupByResult::Filter(all) => groups(all, |()| json!({})),
        GroupByResult::Histogram(all) => groups(all, |key| json!({ "key": value(key) })),
        GroupByResult::DateHistogram(all) => groups(
            all,
            |time| json!({ "key": value(&ColumnValue::Integer(*time)) }),
        ),
        GroupByResult::GeoGrid(all) => groups(all, |cell| {
            let corners = cell
                .corners
                .map(|(top_left, bottom_right)| json!([point(top_left), point(bottom_right)]));
            json!({ "key": cell.hash, "corners": corners })
        }),
        GroupByResult::Composite(page) => composite(page),
        _ => Ok(Json::Null),
    }
}

fn composite(page: &CompositePage) -> Outcome {
    Ok(json!({
        "sources": page.source_names,
        "groups": groups(&page.groups, |keys| json!({ "key": keys }))?,
        "next": page.next_token,
    }))
}

fn groups<K>(groups: &[Group<K>], key: impl Fn(&K) -> Json) -> Outcome {
    let said = groups.iter().map(|group| {
        let mut said = key(&group.key);
        if let Json::Object(said) = &mut said {
            said.insert("count".to_owned(), json!(group.row_count));
            said.insert("aggs".to_owned(), aggregations(&group.aggregations)?);
            said.insert("groups".to_owned(), group_bys(&group.group_bys)?);
        }
        Ok(said)
    });
    said.collect()
}

/// Without an end that is infinite.
fn range(range: &GroupRange) -> Json {
    let end = |end: Option<f64>| end.filter(|end| end.is_finite()).map(double);
    json!({ "from": end(range.from), "to": end(range.to) })
}

fn point(point: GeoPoint) -> Json {
    json!([double(point.latitude()), double(point.longitude())])
}
