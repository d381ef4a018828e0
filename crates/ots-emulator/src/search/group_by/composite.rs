//! Groups by several things at once, page after page.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ots_proto::search::{CompositePage, GroupByComposite, GroupByKind, GroupBySorter, SortOrder};
use serde_json::Value;

use super::super::aggregation::Rows;
use super::super::field::Field;
use super::super::key::{Key, keys};
use super::super::schema::Schema;
use super::histogram::Histogram;
use super::{Bucket, FIELD_TYPES, field, refused};
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// A group for each combination of the groups of several sources.
#[derive(Clone, Debug)]
pub(super) struct Composite {
    sources: Vec<(String, Source, SortOrder)>,
    size: usize,
    /// The keys of the last group of the page before.
    after: Option<Vec<Option<Key>>>,
}

#[derive(Clone, Debug)]
enum Source {
    Field(Arc<Field>),
    Histogram(Histogram),
}

impl Composite {
    pub(super) fn parse(schema: &Schema, asked: &GroupByComposite) -> Result<Self, ServiceError> {
        let count = asked.sources.len();
        if count > MAX_SOURCES {
            return refused(format!(
                "a composite has at most {MAX_SOURCES} sources, not {count}"
            ));
        }
        let sources = asked.sources.iter().map(|(name, source)| {
            let (source, sorters) = match &source.kind {
                GroupByKind::Field(source) => (
                    Source::Field(field(schema, &source.field, FIELD_TYPES)?),
                    &source.sorters,
                ),
                GroupByKind::Histogram(source) => (
                    Source::Histogram(Histogram::of_numbers(schema, source)?),
                    &source.sorters,
                ),
                GroupByKind::DateHistogram(source) => (
                    Source::Histogram(Histogram::of_dates(schema, source)?),
                    &source.sorters,
                ),
                _ => {
                    return refused(format!(
                        "the source [{name}] of a composite is of no such kind"
                    ));
                }
            };
            let order = match sorters.as_slice() {
                [] => SortOrder::Asc,
                [GroupBySorter::Key(order)] => order.unwrap_or(SortOrder::Asc),
                _ => {
                    return refused(format!(
                        "the source [{name}] of a composite can be sorted by its key alone"
                    ));
                }
            };
            Ok((name.to_owned(), source, order))
        });
        let sources: Vec<_> = sources.collect::<Result<_, _>>()?;
        let token = asked.next_token.as_ref().filter(|token| !token.is_empty());
        let suggested = asked.suggested_size.map(|size| size.min(MAX_SUGGESTED));
        Ok(Self {
            size: super::size(
                asked.size.or(suggested),
                super::DEFAULT_SIZE,
                super::MAX_SIZE,
            )?,
            after: token
                .map(|token| decode(token, sources.len()))
                .transpose()?,
            sources,
        })
    }

    /// The groups of a page, and the page around them.
    #[expect(clippy::type_complexity, reason = "a pair, taken apart at once")]
    pub(super) fn page<'r>(
        &self,
        rows: &Rows<'r>,
    ) -> Result<(Vec<Bucket<'r, Vec<Option<Key>>>>, CompositePage), ServiceError> {
        let mut groups: BTreeMap<Vec<Option<Key>>, Vec<&'r Arc<StoredRow>>> = BTreeMap::new();
        let mut entries = 0;
        for row in rows {
            let combinations = self.combinations(row)?;
            entries += combinations.len();
            if entries > MAX_COMBINATIONS {
                return refused(format!(
                    "a composite combines at most {MAX_COMBINATIONS} values of rows"
                ));
            }
            for combination in combinations {
                groups.entry(combination).or_default().push(row);
            }
        }
        let mut buckets: Vec<_> = groups
            .into_iter()
            .map(|(key, rows)| Bucket { key, rows })
            .collect();
        buckets.sort_by(|a, b| self.compare(&a.key, &b.key));
        if let Some(after) = &self.after {
            buckets.retain(|bucket| self.compare(&bucket.key, after).is_gt());
        }
        let mut page = CompositePage::new(self.sources.iter().map(|(name, ..)| name));
        if buckets.len() > self.size {
            buckets.truncate(self.size);
            page.next_token = buckets.last().map(|bucket| encode(&bucket.key));
        }
        Ok((buckets, page))
    }

    /// Every combination of the row's keys. A source that the row has no value for gives none as a
    /// key.
    fn combinations(&self, row: &Arc<StoredRow>) -> Result<Vec<Vec<Option<Key>>>, ServiceError> {
        let mut combinations = vec![Vec::new()];
        for (_, source, _) in &self.sources {
            let mut own: Vec<_> = match source {
                Source::Field(field) => keys(field, row, None),
                Source::Histogram(histogram) => histogram.keys(row).into_iter().collect(),
            };
            own.sort_unstable();
            own.dedup();
            let mut own: Vec<_> = own.into_iter().map(Some).collect();
            if own.is_empty() {
                own.push(None);
            }
            if combinations.len().saturating_mul(own.len()) > MAX_COMBINATIONS {
                return refused(format!(
                    "a composite combines at most {MAX_COMBINATIONS} values of rows"
                ));
            }
            combinations = combinations
                .iter()
                .flat_map(|combination| {
                    own.iter().map(move |key| {
                        let mut longer = combination.clone();
                        longer.push(key.clone());
                        longer
                    })
                })
                .collect();
        }
        Ok(combinations)
    }

    fn compare(&self, a: &[Option<Key>], b: &[Option<Key>]) -> std::cmp::Ordering {
        let pairs = self.sources.iter().zip(a.iter().zip(b));
        let mut orderings = pairs.map(|((_, _, order), (a, b))| match order {
            SortOrder::Asc => a.cmp(b),
            SortOrder::Desc => b.cmp(a),
        });
        let first = orderings.find(|ordering| ordering.is_ne());
        first.unwrap_or(std::cmp::Ordering::Equal)
    }
}

fn encode(keys: &[Option<Key>]) -> String {
    let keys = keys.iter();
    let keys: Vec<_> = keys
        .map(|key| key.as_ref().map_or(Value::Null, Key::to_json))
        .collect();
    URL_SAFE_NO_PAD.encode(Value::from(keys).to_string())
}

fn decode(token: &str, sources: usize) -> Result<Vec<Option<Key>>, ServiceError> {
    let keys = || {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let keys: Vec<Value> = serde_json::from_slice(&bytes).ok()?;
        let keys = keys.iter().map(|key| match key {
            Value::Null => Some(None),
            key => Key::from_json(key).map(Some),
        });
        keys.collect::<Option<Vec<_>>>()
    };
    keys().filter(|keys| keys.len() == sources).ok_or_else(|| {
        ServiceError::parameter("the next_token of a composite belongs to no earlier page of it")
    })
}

const MAX_SOURCES: usize = 32;
const MAX_SUGGESTED: u32 = 2000;
/// Each takes memory until the page is cut.
const MAX_COMBINATIONS: usize = 1_000_000;
