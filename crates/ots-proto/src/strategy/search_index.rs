//! What an index is made of.

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::search_request::{count, sort};
use super::{column_name, matching};
use crate::search::*;

/// Analyzers of every kind, with every option.
pub fn analyzer() -> BoxedStrategy<Analyzer> {
    let flag = || of(any::<bool>());
    prop_oneof![
        (flag(), flag()).prop_map(|(case_sensitive, delimit_word)| {
            Analyzer::SingleWord(SingleWordAnalyzer {
                case_sensitive,
                delimit_word,
            })
        }),
        Just(Analyzer::MaxWord),
        Just(Analyzer::MinWord),
        (of(matching(".{0,3}")), flag()).prop_map(|(delimiter, case_sensitive)| {
            Analyzer::Split(SplitAnalyzer {
                delimiter,
                case_sensitive,
            })
        }),
        (of(count()), of(count()), flag()).prop_map(|(min_chars, max_chars, case_sensitive)| {
            Analyzer::Fuzzy(FuzzyAnalyzer {
                min_chars,
                max_chars,
                case_sensitive,
            })
        }),
        Just(Analyzer::Other {
            name: "newer".to_owned(),
            parameter: Some(bytes::Bytes::from_static(&[8, 1])),
        }),
    ]
    .boxed()
}

/// Fields of every type, with the options that go with it, up to three levels deep.
pub fn field_schema() -> BoxedStrategy<FieldSchema> {
    let plain = select(vec![
        Open::Known(FieldType::Long),
        Open::Known(FieldType::Double),
        Open::Known(FieldType::Boolean),
        Open::Known(FieldType::Keyword),
        Open::Known(FieldType::GeoPoint),
        Open::Known(FieldType::FuzzyKeyword),
        Open::Known(FieldType::Ip),
        Open::Known(FieldType::Flattened),
        Open::Unknown(99),
    ]);
    let plain = (column_name(), plain).prop_map(|(name, kind)| FieldSchema::new(name, kind));
    let similarity = select(vec![TextSimilarity::Bm25, TextSimilarity::ShortText]);
    let text = (column_name(), of(analyzer()), any::<bool>(), of(similarity));
    let text = text.prop_map(|(name, analyzer, highlighting, similarity)| {
        let mut field = FieldSchema::text(name);
        field.analyzer = analyzer;
        field.enable_highlighting = highlighting.then_some(true);
        field.text_similarity = similarity.map(Open::Known);
        field
    });
    let date = (
        column_name(),
        vec(matching("[yMd-]{1,8}|epoch_millis"), 0..3),
    )
        .prop_map(|(name, formats)| FieldSchema::date(name, formats));
    let metric = select(vec![
        VectorMetricType::Euclidean,
        VectorMetricType::Cosine,
        VectorMetricType::DotProduct,
    ]);
    let vector = (column_name(), 1_u32..4_097, metric)
        .prop_map(|(name, dimension, metric)| FieldSchema::vector(name, dimension, metric));
    let leaf = prop_oneof![3 => plain, 2 => text, 1 => date, 1 => vector];
    let leaf = (leaf, flags()).prop_map(|(field, flags)| flags.apply(field));
    leaf.prop_recursive(2, 6, 3, |inner| {
        let json_type = select(vec![JsonType::Object, JsonType::Nested]);
        let fields = fields_of(inner.clone(), 1..3);
        prop_oneof![
            (column_name(), fields_of(inner, 1..3))
                .prop_map(|(name, fields)| FieldSchema::nested(name, fields)),
            (column_name(), json_type, fields)
                .prop_map(|(name, json_type, fields)| FieldSchema::json(name, json_type, fields)),
        ]
    })
    .boxed()
}

/// Indexes of one to four fields.
pub fn index_schema() -> BoxedStrategy<IndexSchema> {
    let setting = (
        of(count()),
        vec(column_name(), 0..3),
        of(count()),
        of(any::<bool>()),
    );
    let setting = setting.prop_map(
        |(
            number_of_shards,
            routing_fields,
            routing_partition_size,
            enable_custom_column_version,
        )| {
            IndexSetting {
                number_of_shards,
                routing_fields,
                routing_partition_size,
                enable_custom_column_version,
            }
        },
    );
    (fields_of(field_schema(), 1..5), of(setting), of(sort()))
        .prop_map(|(fields, setting, sort)| IndexSchema {
            fields,
            setting,
            sort,
        })
        .boxed()
}

/// Fields of distinct names.
fn fields_of(
    field: impl Strategy<Value = FieldSchema> + 'static,
    count: std::ops::Range<usize>,
) -> BoxedStrategy<Vec<FieldSchema>> {
    btree_map(column_name(), field, count)
        .prop_map(|fields| {
            let fields = fields.into_iter();
            fields
                .map(|(name, field)| FieldSchema { name, ..field })
                .collect()
        })
        .boxed()
}

/// The options that go with every type but NESTED and JSON.
#[derive(Clone, Debug)]
struct Flags {
    index: Option<bool>,
    sort_and_agg: Option<bool>,
    store: Option<bool>,
    is_array: Option<bool>,
    sources: Vec<String>,
    index_options: Option<IndexOptions>,
}

fn flags() -> BoxedStrategy<Flags> {
    let flag = || of(any::<bool>());
    let index_options = select(vec![
        IndexOptions::Docs,
        IndexOptions::Freqs,
        IndexOptions::Positions,
        IndexOptions::Offsets,
    ]);
    let sources = prop_oneof![3 => Just(Vec::new()), 1 => vec(column_name(), 1..3)];
    (flag(), flag(), flag(), flag(), sources, of(index_options))
        .prop_map(
            |(index, sort_and_agg, store, is_array, sources, index_options)| Flags {
                index,
                sort_and_agg,
                store,
                is_array,
                sources,
                index_options,
            },
        )
        .boxed()
}

impl Flags {
    fn apply(self, field: FieldSchema) -> FieldSchema {
        FieldSchema {
            index: self.index,
            sort_and_agg: self.sort_and_agg,
            store: self.store,
            is_array: self.is_array,
            is_virtual_field: (!self.sources.is_empty()).then_some(true),
            source_field_names: self.sources,
            index_options: self.index_options.map(Open::Known),
            ..field
        }
    }
}
