//! The results of a batch: as many as rows were asked for, in their order.

use http::StatusCode;
use ots_proto::messages;

use super::resend::Rows;
use crate::error::{Error, ErrorCode};
use crate::request::Request;

/// The result of one row of a batch: HTTP 200 says nothing about it.
pub type RowResult<T> = Result<T, Error>;

/// A request of many rows, whose output has a result for each: table by table, in the order in which
/// they were given.
///
/// [`BatchGetRow`](super::BatchGetRow) and [`BatchWriteRow`](super::BatchWriteRow) are all there are.
pub trait BatchRequest:
    Request<Output = Vec<Vec<RowResult<Self::Row>>>>
    + sealed::Split<Rows: Rows<Operation = Self::Operation, Row = Self::Row>>
{
    /// What a row gives.
    type Row: Send;
}

pub(crate) mod sealed {
    use super::{Error, Request, Rows};

    /// A batch taken apart, so that some of its rows can be sent again.
    #[expect(unnameable_types, reason = "sealed: nobody else has rows to send")]
    pub trait Split: Request {
        /// Its rows.
        type Rows: Rows<Operation = Self::Operation>;

        /// Takes it apart.
        fn into_rows(self) -> Result<Self::Rows, Error>;
    }
}

/// The tables of a request, each with the number of rows asked for.
#[derive(Debug)]
#[expect(unnameable_types, reason = "sealed: nobody else has rows to send")]
pub struct Asked(Vec<(String, usize)>);

impl FromIterator<(String, usize)> for Asked {
    fn from_iter<I: IntoIterator<Item = (String, usize)>>(tables: I) -> Self {
        Self(tables.into_iter().collect())
    }
}

impl Asked {
    /// Whether an answer has a result for every row. Results carry no key: only their place says
    /// which row they belong to, so a missing one would shift all that follow.
    pub(super) fn check<'a>(
        &self,
        answered: impl ExactSizeIterator<Item = (&'a str, usize)>,
    ) -> Result<(), Error> {
        let Self(asked) = self;
        if answered.len() != asked.len() {
            return Err(Error::body(format!(
                "results for {} tables, but {} were asked for",
                answered.len(),
                asked.len()
            )));
        }
        for ((table, rows), (answered_table, answered_rows)) in asked.iter().zip(answered) {
            if (table.as_str(), *rows) != (answered_table, answered_rows) {
                return Err(Error::body(format!(
                    "{answered_rows} results for table {answered_table:?}, in place of {rows} for \
                     table {table:?}"
                )));
            }
        }
        Ok(())
    }
}

/// What the service says of a row besides its content.
pub(super) fn row_result(
    is_ok: bool,
    error: Option<messages::Error>,
    request_id: &str,
) -> RowResult<()> {
    if is_ok {
        return Ok(());
    }
    Err(match error {
        Some(error) => Error::refusal(error, StatusCode::OK, request_id),
        None => {
            let code = ErrorCode::Other("unknown error".to_owned());
            Error::service(code, StatusCode::OK, "", request_id)
        }
    })
}

/// The element, if there is only one.
pub(super) fn only<T>(all: &[T]) -> Option<&T> {
    match all {
        [one] => Some(one),
        _ => None,
    }
}

/// The answer to a request for so many rows of each table: checked, and table by table again. A table
/// without rows isn't sent, and gets no results.
pub(super) fn results_of<T>(
    tables: Vec<(String, usize)>,
    read: impl FnOnce(&Asked) -> Result<Vec<RowResult<T>>, Error>,
) -> Result<Vec<Vec<RowResult<T>>>, Error> {
    let rows: Vec<_> = tables.iter().map(|(_, rows)| *rows).collect();
    let asked = tables.into_iter().filter(|(_, rows)| *rows > 0).collect();
    let mut results = read(&asked)?.into_iter();
    let tables = rows
        .into_iter()
        .map(|rows| results.by_ref().take(rows).collect());
    Ok(tables.collect())
}

/// Results table by table again, from results row by row.
pub(crate) fn by_table<T>(
    tables: usize,
    table_of_row: impl IntoIterator<Item = usize>,
    results: impl IntoIterator<Item = T>,
) -> Vec<Vec<T>> {
    let mut by_table: Vec<Vec<T>> = std::iter::repeat_with(Vec::new).take(tables).collect();
    for (table, result) in table_of_row.into_iter().zip(results) {
        if let Some(rows) = by_table.get_mut(table) {
            rows.push(result);
        }
    }
    by_table
}
