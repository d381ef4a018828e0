//! Our own client, asked in neutral words.

mod aggregations;
mod indexes;
mod results;
mod rows;
mod scans;
mod searches;
mod tables;
mod values;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use ots_core::request::Request;
use ots_core::{Client, ErrorKind as ClientErrorKind};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{Refusal, Said, Sdk};
use crate::cases::value::plain;
use crate::error::Error;

/// Our own client.
#[derive(Clone, Debug)]
pub struct OwnClient {
    name: String,
    client: Client,
}

/// A request in neutral words.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Ask {
    CreateTable(tables::Create),
    UpdateTable(tables::Update),
    DescribeTable(tables::Named),
    ListTables {},
    DeleteTable(tables::Named),
    ComputeSplitPoints(tables::SplitPoints),
    PutRow(rows::Put),
    UpdateRow(rows::Update),
    DeleteRow(rows::Delete),
    GetRow(rows::Get),
    GetRange(rows::Range),
    BatchGet(rows::BatchGet),
    BatchWrite(rows::BatchWrite),
    CreateIndex(indexes::Create),
    UpdateIndex(indexes::Update),
    DescribeIndex(indexes::Named),
    ListIndexes(tables::Named),
    DeleteIndex(indexes::Named),
    Search(searches::Ask),
    ComputeSplits(indexes::Named),
    ParallelScan(scans::Scan),
}

/// What came of a request: an answer, or what became of it instead.
type Outcome = Result<Json, Said>;

impl OwnClient {
    /// This client, called by a name that says how it reaches the service.
    pub fn new(name: impl Into<String>, client: Client) -> Self {
        Self {
            name: name.into(),
            client,
        }
    }

    async fn answer(&self, request: &Json) -> Outcome {
        // Values have one form inside our own client: the short one.
        let ask: Ask = serde_json::from_value(plain(request)).map_err(failed)?;
        match ask {
            Ask::CreateTable(ask) => tables::create(self, ask).await,
            Ask::UpdateTable(ask) => tables::update(self, ask).await,
            Ask::DescribeTable(ask) => tables::describe(self, ask).await,
            Ask::ListTables {} => tables::list(self).await,
            Ask::DeleteTable(ask) => tables::delete(self, ask).await,
            Ask::ComputeSplitPoints(ask) => tables::split_points(self, ask).await,
            Ask::PutRow(ask) => rows::put(self, ask).await,
            Ask::UpdateRow(ask) => rows::update(self, ask).await,
            Ask::DeleteRow(ask) => rows::delete(self, ask).await,
            Ask::GetRow(ask) => rows::get(self, ask).await,
            Ask::GetRange(ask) => rows::range(self, ask).await,
            Ask::BatchGet(ask) => rows::batch_get(self, ask).await,
            Ask::BatchWrite(ask) => rows::batch_write(self, ask).await,
            Ask::CreateIndex(ask) => indexes::create(self, ask).await,
            Ask::UpdateIndex(ask) => indexes::update(self, ask).await,
            Ask::DescribeIndex(ask) => indexes::describe(self, ask).await,
            Ask::ListIndexes(ask) => indexes::list(self, ask).await,
            Ask::DeleteIndex(ask) => indexes::delete(self, ask).await,
            Ask::Search(ask) => searches::search(self, ask).await,
            Ask::ComputeSplits(ask) => scans::compute_splits(self, ask).await,
            Ask::ParallelScan(ask) => scans::scan(self, ask).await,
        }
    }

    /// Sends a request as users do.
    async fn send<R>(&self, request: R) -> Result<R::Output, Said>
    where
        R: Request + Clone + Send + Sync + 'static,
        R::Output: Send,
    {
        let reply = self.client.send(request).await.map_err(refused)?;
        Ok(reply.into_inner())
    }
}

impl Sdk for OwnClient {
    fn name(&self) -> &str {
        &self.name
    }

    fn ask<'a>(&'a mut self, request: &'a Json) -> BoxFuture<'a, Result<Said, Error>> {
        async move {
            Ok(match self.answer(request).await {
                Ok(answer) => Said::Answer(answer),
                Err(said) => said,
            })
        }
        .boxed()
    }
}

/// What the service refused, or why the client could not do it.
fn refused(error: ots_core::Error) -> Said {
    match error.kind() {
        ClientErrorKind::Service(service) => Said::Error(Refusal {
            status: service.status.as_u16(),
            code: service.code.as_str().to_owned(),
            message: service.message.clone(),
        }),
        _ => failed(error),
    }
}

fn failed(error: impl std::error::Error) -> Said {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    Said::Failed(text)
}
