//! What the service says of a table and its index before anything is read.

use std::time::Instant;

use ots_arrow::ScanSchema;
use ots_core::request::{DescribeSearchIndex, DescribeTable};
use ots_proto::messages::{FieldSchema, IndexSchema};
use serde_json::json;

use super::Job;
use crate::asked::Asked;
use crate::commands::export::earlier::{Earlier, finish_earlier};
use crate::commands::export::sink_format;
use crate::connect::Connected;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;

/// What the service says of the table and the index.
pub(super) struct Described {
    pub(super) start: Instant,
    pub(super) schema: ScanSchema,
    /// What is asked for, with the table that it is asked of.
    pub(super) asked: Asked,
}

impl Job {
    pub(super) async fn described(
        &self,
        connected: &Connected,
        interrupt: &mut Interrupt,
    ) -> Result<Described, Failure> {
        let start = Instant::now();
        let described = self.describe(connected);
        let (schema, asked) = interrupt.or(described, || self.before_rows()).await?;
        Ok(Described {
            start,
            schema,
            asked,
        })
    }

    /// The same export, if it was done before but for names of files.
    pub(super) async fn earlier(
        &self,
        described: &Described,
        interrupt: &mut Interrupt,
    ) -> Result<Option<Earlier>, Failure> {
        let earlier = finish_earlier(self, &self.out, &described.asked);
        interrupt.or(earlier, || self.before_rows()).await
    }

    /// The columns of the files, from what the service says of the table and the index, and what is
    /// asked for of which table.
    pub(super) async fn describe(
        &self,
        connected: &Connected,
    ) -> Result<(ScanSchema, Asked), Failure> {
        let client = &connected.first;
        let Self { table, index, .. } = self;
        let failed = |error| Failure::of_call(self.to_string(), error);
        let description = client
            .send(DescribeTable::new(table))
            .await
            .map_err(failed)?;
        let index = client
            .send(DescribeSearchIndex::new(table, index))
            .await
            .map_err(failed)?;
        let fields = index.into_inner().schema.unwrap_or_default();
        let fields = fields
            .to_message()
            .map_err(|error| Failure::new(Exit::Other, self.to_string()).because(error))?;
        self.check_query(&fields)?;
        let columns = self.columns.as_deref();
        let schema = ScanSchema::from_index(&description.primary_key, &fields, columns);
        let schema = schema.map_err(|error| {
            let is_unknown = matches!(error.kind(), ots_arrow::ErrorKind::UnknownColumn { .. });
            let failure = Failure::new(Exit::Usage, self.to_string()).because(error);
            match is_unknown {
                true => failure.advise(format!("its fields are {}", top_level_names(&fields))),
                false => failure,
            }
        })?;
        let asked = Asked::new([
            ("instance", json!(connected.instance)),
            ("table", json!(table)),
            Asked::created(description.created),
            ("index", json!(self.index)),
            ("columns", json!(self.columns)),
            ("query-json", self.query.to_json()),
            ("format", json!(sink_format(self.format).extension())),
        ]);
        Ok((schema, asked))
    }
}

fn top_level_names(index: &IndexSchema) -> String {
    let fields = index.field_schemas.iter();
    let names: Vec<_> = fields.map(FieldSchema::field_name).collect();
    names.join(", ")
}
