//! Search indexes: their life and their fields.

use ots_core::request::{
    CreateSearchIndex, DeleteSearchIndex, DescribeSearchIndex, ListSearchIndex, UpdateSearchIndex,
};
use ots_proto::messages::{FieldType, JsonType, SyncPhase, VectorMetricType};
use ots_proto::search::{
    Analyzer, FieldSchema, FuzzyAnalyzer, IndexSchema, IndexStatusEnum, Open, QueryFlowWeight,
    SingleWordAnalyzer, SplitAnalyzer, TimeToLive,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::searches::sort;
use super::{Outcome, OwnClient, Said, tables};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) table: String,
    pub(super) index: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Create {
    table: String,
    index: String,
    fields: Vec<Field>,
    sort: Option<Json>,
    #[serde(default)]
    routing: Vec<String>,
    time_to_live_s: Option<u32>,
    source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    table: String,
    index: String,
    time_to_live_s: Option<i32>,
    switch_to: Option<String>,
    #[serde(default)]
    weights: Vec<(String, i32)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    array: Option<bool>,
    index: Option<bool>,
    sort_and_agg: Option<bool>,
    store: Option<bool>,
    highlight: Option<bool>,
    analyzer: Option<Map<String, Json>>,
    #[serde(default)]
    fields: Vec<Self>,
    #[serde(default)]
    date_formats: Vec<String>,
    #[serde(default)]
    virtual_of: Vec<String>,
    vector: Option<Vector>,
    json: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    dimension: u32,
    metric: String,
}

impl Field {
    fn schema(self) -> Result<FieldSchema, Said> {
        let no_type = || Said::Unsupported(format!("a field of type {}", self.kind));
        let kind = format!("FIELD_TYPE_{}", self.kind.to_uppercase());
        let kind = FieldType::from_str_name(&kind).ok_or_else(no_type)?;
        let mut field = FieldSchema::new(self.name, kind);
        field.is_array = self.array;
        field.index = self.index;
        field.sort_and_agg = self.sort_and_agg;
        field.store = self.store;
        field.enable_highlighting = self.highlight;
        field.date_formats = self.date_formats;
        if !self.virtual_of.is_empty() {
            field = field.virtual_of(self.virtual_of);
        }
        field.analyzer = self.analyzer.as_ref().map(analyzer).transpose()?;
        let fields = self.fields.into_iter().map(Self::schema);
        field.fields = fields.collect::<Result<_, _>>()?;
        field.json_type = match self.json.as_deref() {
            None => None,
            Some("object") => Some(JsonType::Object.into()),
            Some(_) => Some(JsonType::Nested.into()),
        };
        if let Some(vector) = self.vector {
            let metric = format!("VECTOR_METRIC_TYPE_{}", vector.metric.to_uppercase());
            let metric = VectorMetricType::from_str_name(&metric);
            let metric = metric.ok_or(Said::Unsupported(vector.metric))?;
            field.vector_options = Some(ots_proto::search::VectorOptions::new(
                vector.dimension,
                metric,
            ));
        }
        Ok(field)
    }
}

fn analyzer(described: &Map<String, Json>) -> Result<Analyzer, Said> {
    let Some((name, options)) = described.iter().next() else {
        return Err(Said::Failed("an analyzer without a name".to_owned()));
    };
    let flag = |name: &str| options[name].as_bool();
    let number = |name: &str| options[name].as_u64().and_then(|n| u32::try_from(n).ok());
    Ok(match name.as_str() {
        "single_word" => {
            let mut analyzer = SingleWordAnalyzer::default();
            analyzer.case_sensitive = flag("case_sensitive");
            analyzer.delimit_word = flag("delimit_word");
            analyzer.into()
        }
        "split" => {
            let mut analyzer = SplitAnalyzer::default();
            analyzer.delimiter = options["delimiter"].as_str().map(str::to_owned);
            analyzer.case_sensitive = flag("case_sensitive");
            analyzer.into()
        }
        "fuzzy" => {
            let mut analyzer = FuzzyAnalyzer::default();
            analyzer.min_chars = number("min_chars");
            analyzer.max_chars = number("max_chars");
            analyzer.case_sensitive = flag("case_sensitive");
            analyzer.into()
        }
        "max_word" => Analyzer::MaxWord,
        "min_word" => Analyzer::MinWord,
        other => return Err(Said::Unsupported(format!("the analyzer {other}"))),
    })
}

pub(super) async fn create(own: &OwnClient, ask: Create) -> Outcome {
    let fields = ask.fields.into_iter().map(Field::schema);
    let mut schema = IndexSchema::new(fields.collect::<Result<Vec<_>, _>>()?);
    if !ask.routing.is_empty() {
        schema = schema.routing_fields(ask.routing);
    }
    if let Some(sorters) = &ask.sort {
        schema = schema.sort(sort(sorters)?);
    }
    let mut create = CreateSearchIndex::new(ask.table, ask.index).schema(schema);
    if let Some(seconds) = ask.time_to_live_s {
        create = create.time_to_live(TimeToLive::Seconds(seconds));
    }
    if let Some(source) = ask.source {
        create = create.new_schema_of(source);
    }
    own.send(create).await?;
    Ok(json!({}))
}

pub(super) async fn update(own: &OwnClient, ask: Update) -> Outcome {
    let mut update = UpdateSearchIndex::new(ask.table, ask.index);
    if let Some(seconds) = ask.time_to_live_s {
        update = update.time_to_live(match u32::try_from(seconds) {
            Ok(seconds) => TimeToLive::Seconds(seconds),
            Err(_) => TimeToLive::Never,
        });
    }
    if let Some(index) = ask.switch_to {
        update = update.switch_to(index);
    }
    if !ask.weights.is_empty() {
        let weights = ask.weights.into_iter();
        let weights = weights.map(|(index, weight)| QueryFlowWeight::new(index, weight));
        update = update.query_flow_weights(weights);
    }
    own.send(update).await?;
    Ok(json!({}))
}

pub(super) async fn describe(own: &OwnClient, ask: Named) -> Outcome {
    let index = own
        .send(DescribeSearchIndex::new(ask.table, ask.index))
        .await?;
    let schema = index.schema.unwrap_or_default();
    let phase = index.sync_stat.and_then(|stat| stat.phase);
    let status = index.status.as_ref().and_then(|status| status.status);
    let setting = schema.setting.unwrap_or_default();
    Ok(json!({
        "fields": schema.fields.iter().map(said_field).collect::<Json>(),
        "phase": match phase {
            Some(Open::Known(SyncPhase::Full)) => "full",
            Some(Open::Known(SyncPhase::Incr)) => "incr",
            _ => "unknown",
        },
        "status": match status {
            Some(Open::Known(IndexStatusEnum::Running)) => json!("running"),
            Some(_) => json!("other"),
            None => Json::Null,
        },
        "time_to_live_s": index.time_to_live.map(TimeToLive::to_number),
        "routing": setting.routing_fields,
    }))
}

fn said_field(field: &FieldSchema) -> Json {
    let kind = match field.field_type {
        Open::Known(kind) => kind
            .as_str_name()
            .trim_start_matches("FIELD_TYPE_")
            .to_lowercase(),
        _ => "unknown".to_owned(),
    };
    json!({
        "name": field.name,
        "type": kind,
        "array": field.is_array,
        "index": field.index,
        "sort_and_agg": field.sort_and_agg,
        "store": field.store,
        "highlight": field.enable_highlighting,
        "analyzer": field.analyzer.as_ref().map(Analyzer::name),
        "date_formats": field.date_formats,
        "virtual_of": field.source_field_names,
        "fields": field.fields.iter().map(said_field).collect::<Json>(),
        "vector": field.vector_options.map(|vector| json!({
            "dimension": vector.dimension,
            "metric": match vector.metric_type {
                Some(Open::Known(metric)) => {
                    metric.as_str_name().trim_start_matches("VECTOR_METRIC_TYPE_").to_lowercase()
                }
                _ => "unknown".to_owned(),
            },
        })),
    })
}

pub(super) async fn list(own: &OwnClient, ask: tables::Named) -> Outcome {
    let indexes = own
        .send(ListSearchIndex::new().table(ask.into_name()))
        .await?;
    let names = indexes.into_iter().map(|index| json!(index.index));
    Ok(json!({ "indexes": names.collect::<Json>() }))
}

pub(super) async fn delete(own: &OwnClient, ask: Named) -> Outcome {
    own.send(DeleteSearchIndex::new(ask.table, ask.index))
        .await?;
    Ok(json!({}))
}
