//! Our own client as one more reader: what it reads must be what the SDK read.

use std::collections::BTreeMap;

use futures::TryStreamExt as _;
use ots_core::request::{Direction, GetRange, ScanColumns, Search};
use ots_core::{Client, ColumnValue, Credentials, PrimaryKey, PrimaryKeyValue, Query};
use ots_paging::RangeExt as _;
use ots_scan::parallel_scan;

use crate::canonical::{Cell, KeyColumn, Row, Value};
use crate::driver::INSTANCE;
use crate::emulator::{ACCESS_KEY_ID, ACCESS_KEY_SECRET};
use crate::error::{Error, ErrorKind};
use crate::expectation::{FINAL_TABLES, first_difference};
use crate::fixture::{Fixture, Table};
use crate::report::Report;

/// Reads everything that the driver read last and compares, versions included; one sentence for every
/// difference.
///
/// # Errors
///
/// [`ErrorKind::Client`] when our client fails to read.
pub async fn compare(
    endpoint: &str,
    fixture: &Fixture,
    report: &Report,
) -> Result<Vec<String>, Error> {
    let client = Client::builder(endpoint)
        .instance(INSTANCE)
        .credentials(Credentials::new(ACCESS_KEY_ID, ACCESS_KEY_SECRET))
        .build()
        .map_err(|e| Error::because(ErrorKind::Client, "cannot set up our client", e))?;
    let reader = Reader { client, fixture };
    let mut faults = Vec::new();
    for (name, ours) in reader.read_all().await? {
        let Some(theirs) = report.row_sets.get(&name) else {
            // Said once already, by the expectations.
            continue;
        };
        let mut theirs = theirs.rows.clone();
        if name.starts_with("scan_") {
            theirs.sort_by(Row::key_order);
        }
        if let Some(difference) = first_difference(&theirs, &ours, Row::eq) {
            faults.push(format!(
                "our client does not read what the SDK read as {name}: {difference}"
            ));
        }
    }
    Ok(faults)
}

struct Reader<'f> {
    client: Client,
    fixture: &'f Fixture,
}

impl Reader<'_> {
    /// Row sets by the names that drivers give them.
    async fn read_all(&self) -> Result<BTreeMap<String, Vec<Row>>, Error> {
        let mut sets = BTreeMap::new();
        for role in FINAL_TABLES {
            if let Some(table) = self.fixture.table(role) {
                let rows = self.range(forward(table), role).await?;
                sets.insert(format!("final_{role}"), rows);
            }
        }
        let Some(bulk) = self.fixture.table("bulk") else {
            return Ok(sets);
        };
        let (low, high) = bounds(bulk);
        let backward = GetRange::new(&bulk.name, high, low).direction(Direction::Backward);
        let ranges = [
            ("range_forward", forward(bulk).limit(60)),
            ("range_backward", backward.limit(37)),
            ("range_sparse", forward(bulk).columns(["opt"]).limit(11)),
        ];
        for (name, range) in ranges {
            sets.insert(name.to_owned(), self.range(range, name).await?);
        }
        sets.insert("search_pages".to_owned(), self.search_pages(bulk).await?);
        for (name, query) in queries() {
            let columns = ScanColumns::Specified(vec!["n".to_owned()]);
            let search = Search::new(&bulk.name, self.fixture.index.name, query);
            let page = self.search(search.limit(100).columns(columns)).await?;
            sets.insert(format!("search_{name}"), page.0);
        }
        let all = Query::MatchAll;
        let scanned = self.scan(bulk, all, ScanColumns::AllFromIndex).await?;
        sets.insert("scan_all".to_owned(), scanned);
        let fifty = Query::range("n").gte(50).lt(100).into();
        let scanned = self.scan(bulk, fifty, ScanColumns::PrimaryKey).await?;
        sets.insert("scan_query".to_owned(), scanned);
        Ok(sets)
    }

    async fn range(&self, range: GetRange, what: &str) -> Result<Vec<Row>, Error> {
        let rows: Vec<ots_core::Row> = range
            .rows(&self.client)
            .try_collect()
            .await
            .map_err(|e| failed(&format!("GetRange for {what}"), e))?;
        rows.iter().map(canonical).collect()
    }

    async fn search_pages(&self, table: &Table) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        let mut token = None;
        loop {
            let mut search =
                Search::new(&table.name, self.fixture.index.name, Query::MatchAll).limit(60);
            if let Some(token) = token {
                search = search.token(token);
            }
            let (page, next) = self.search(search).await?;
            rows.extend(page);
            token = next;
            if token.is_none() {
                return Ok(rows);
            }
        }
    }

    async fn search(&self, search: Search) -> Result<(Vec<Row>, Option<bytes::Bytes>), Error> {
        let reply = self
            .client
            .send(search)
            .await
            .map_err(|e| failed("Search", e))?;
        let rows = reply.rows().map_err(|e| failed("Search", e))?;
        let rows = rows.iter().map(canonical).collect::<Result<_, _>>()?;
        Ok((rows, reply.into_inner().response.next_token))
    }

    /// The rows of a parallel scan in key order, which the scan itself does not promise.
    async fn scan(
        &self,
        table: &Table,
        query: Query,
        columns: ScanColumns,
    ) -> Result<Vec<Row>, Error> {
        let scan = parallel_scan(self.client.clone(), &table.name, self.fixture.index.name)
            .query(query)
            .columns(columns)
            .limit(7)
            .open()
            .await
            .map_err(|e| failed("opening a parallel scan", e))?;
        let rows: Vec<ots_core::Row> = scan
            .rows()
            .try_collect()
            .await
            .map_err(|e| failed("a parallel scan", e))?;
        let mut rows: Vec<Row> = rows.iter().map(canonical).collect::<Result<_, _>>()?;
        rows.sort_by(Row::key_order);
        Ok(rows)
    }
}

/// The queries of the step `search_queries` that our client has a word for.
pub(crate) fn queries() -> Vec<(&'static str, Query)> {
    vec![
        ("term", Query::term("kw", "k3")),
        ("term_chinese", Query::term("kw", "表格")),
        ("terms", Query::terms("n", [1, 100, 249, 9999])),
        ("range", Query::range("n").gte(100).lt(150).into()),
        ("range_double", Query::range("d").gte(-1.5).lte(1.5).into()),
        ("range_key", Query::range("i").gt(48).into()),
        ("prefix", Query::prefix("opt", "o1")),
        ("exists", Query::exists("opt")),
        (
            "bool_must",
            Query::term("flag", true)
                .and(Query::range("n").lt(90))
                .and(Query::term("kw", "k1").not()),
        ),
        (
            "bool_should",
            Query::from(Query::range("n").lt(100))
                .and(Query::term("kw", "k2").or(Query::exists("opt"))),
        ),
        ("nothing", Query::term("kw", "nowhere")),
    ]
}

/// A whole table, every version of it.
fn forward(table: &Table) -> GetRange {
    let (low, high) = bounds(table);
    GetRange::new(&table.name, low, high).max_versions(table.max_versions)
}

pub(crate) fn bounds(table: &Table) -> (PrimaryKey, PrimaryKey) {
    let names = || table.primary_key.iter().map(|column| column.name);
    (PrimaryKey::min(names()), PrimaryKey::max(names()))
}

/// A row as our client read it, in the form in which drivers report theirs.
pub(crate) fn canonical(row: &ots_core::Row) -> Result<Row, Error> {
    let primary_key = row.primary_key.columns().iter().map(|column| {
        Ok(KeyColumn {
            name: column.name.to_string(),
            value: match &column.value {
                PrimaryKeyValue::Integer(value) => Value::Integer(*value),
                PrimaryKeyValue::String(value) => Value::String(value.clone()),
                PrimaryKeyValue::Binary(value) => Value::Binary(value.to_vec()),
                PrimaryKeyValue::InfMin
                | PrimaryKeyValue::InfMax
                | PrimaryKeyValue::AutoIncrement => {
                    let message = format!("a row has {:?} in its key", column.value);
                    return Err(Error::new(ErrorKind::Client, message));
                }
            },
        })
    });
    let columns = row.cells.iter().map(|cell| Cell {
        name: cell.name.to_string(),
        value: match &cell.value {
            ColumnValue::Integer(value) => Value::Integer(*value),
            ColumnValue::Double(value) => Value::double(*value),
            ColumnValue::Boolean(value) => Value::Boolean(*value),
            ColumnValue::String(value) => Value::String(value.clone()),
            ColumnValue::Binary(value) => Value::Binary(value.to_vec()),
        },
        timestamp: cell.timestamp_ms,
    });
    Ok(Row {
        primary_key: primary_key.collect::<Result<_, Error>>()?,
        columns: columns.collect(),
    })
}

fn failed(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::because(ErrorKind::Client, format!("{what} failed"), error)
}
