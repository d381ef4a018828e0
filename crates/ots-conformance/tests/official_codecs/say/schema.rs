//! Schemas of search indexes.

use ots_proto::search::{
    Analyzer, FieldSchema, FieldType, IndexSchema, JsonType, Open, TextSimilarity, VectorDataType,
    VectorMetricType, VectorOptions,
};
use serde_json::{Value as Json, json};

use super::{Say, new, sort, words};

impl Say for IndexSchema {
    fn say(&mut self) -> Json {
        // Always sent, with one shard; no options of the class but the routing fields.
        let setting = self.setting.get_or_insert_default();
        setting.number_of_shards = Some(1);
        setting.routing_partition_size = None;
        setting.enable_custom_column_version = None;
        let routing_fields = setting.routing_fields.say();
        sort::drop_empty(&mut self.sort);
        let mut said = new!("SearchIndexMeta", fields: self.fields, index_sort: self.sort);
        said["with"]["index_setting"] =
            json!({ "new": "IndexSetting", "with": { "routing_fields": routing_fields } });
        said
    }
}

impl Say for FieldSchema {
    fn say(&mut self) -> Json {
        // Types that the SDK doesn't know.
        if matches!(
            self.field_type,
            Open::Known(FieldType::FuzzyKeyword | FieldType::Ip | FieldType::Flattened)
                | Open::Unknown(_)
        ) {
            self.field_type = FieldType::Keyword.into();
        }
        // Not an option of the class.
        self.index_options = None;
        let (mut analyzer, parameter) = match &mut self.analyzer {
            Some(analyzer) => {
                let parameter = parameter(analyzer);
                (Some(analyzer.name().to_owned()), parameter)
            }
            None => (None, Json::Null),
        };
        let mut said = new!("FieldSchema",
            field_name: self.name,
            field_type: self.field_type,
            index: self.index,
            store: self.store,
            is_array: self.is_array,
            enable_sort_and_agg: self.sort_and_agg,
            analyzer: analyzer,
            sub_field_schemas: self.fields,
            date_formats: self.date_formats,
            is_virtual_field: self.is_virtual_field,
            source_fields: self.source_field_names,
            vector_options: self.vector_options,
            enable_highlighting: self.enable_highlighting,
            json_type: self.json_type,
            text_similarity: self.text_similarity,
        );
        said["with"]["analyzer_parameter"] = parameter;
        said
    }
}

/// The options of an analyzer. The classes have no more of them, and send all that they have.
fn parameter(analyzer: &mut Analyzer) -> Json {
    match analyzer {
        Analyzer::SingleWord(options) => new!("SingleWordAnalyzerParameter",
            case_sensitive: options.case_sensitive.get_or_insert(false),
            delimit_word: options.delimit_word.get_or_insert(false),
        ),
        Analyzer::Split(options) => {
            options.case_sensitive = None;
            new!("SplitAnalyzerParameter",
                delimiter: options.delimiter.get_or_insert_with(|| " ".to_owned()),
            )
        }
        Analyzer::Fuzzy(options) => {
            options.case_sensitive = None;
            new!("FuzzyAnalyzerParameter",
                min_chars: options.min_chars.get_or_insert(1),
                max_chars: options.max_chars.get_or_insert(7),
            )
        }
        Analyzer::Other { parameter, .. } => {
            *parameter = None;
            Json::Null
        }
        _ => Json::Null,
    }
}

impl<E: Say> Say for Open<E> {
    fn say(&mut self) -> Json {
        match self {
            Self::Known(known) => known.say(),
            Self::Unknown(number) => json!(number),
        }
    }
}

impl Say for VectorOptions {
    fn say(&mut self) -> Json {
        new!("VectorOptions",
            data_type: self.data_type,
            metric_type: self.metric_type,
            dimension: self.dimension,
        )
    }
}

words! {
    FieldType: "FieldType" {
        Long = LONG,
        Double = DOUBLE,
        Boolean = BOOLEAN,
        Keyword = KEYWORD,
        Text = TEXT,
        Nested = NESTED,
        GeoPoint = GEOPOINT,
        Date = DATE,
        Vector = VECTOR,
        Json = JSON,
    }
    JsonType: "JsonType" { Object = OBJECT_JSON, Nested = NESTED_JSON }
    TextSimilarity: "TextSimilarity" { Bm25 = BM25, ShortText = SHORT_TEXT }
    VectorDataType: "VectorDataType" { Float32 = VD_FLOAT_32 }
    VectorMetricType: "VectorMetricType" {
        Euclidean = VM_EUCLIDEAN,
        Cosine = VM_COSINE,
        DotProduct = VM_DOT_PRODUCT,
    }
}
