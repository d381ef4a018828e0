//! Whole bodies: every request and response, and what their `bytes` fields hold.

use bytes::Bytes;
use ots_proto::messages::{DataBlockType, SearchQuery};
use ots_proto::operation::{self, MessageError, Operation};
use ots_proto::plainbuffer::Accept;
use prost::Message;

use super::{filters, queries, rows, searches, splits, sql};

/// An operation's name, its request and its response as functions of a body.
type Exchange = (&'static str, fn(Bytes), fn(Bytes));

macro_rules! exchanges {
    ($($operation:ident: $request:expr, $response:expr;)*) => {
        /// Every operation.
        pub(crate) const EXCHANGES: &[Exchange] = &[$((
            operation::$operation::NAME,
            |body| check(body, operation::$operation::decode_request, $request),
            |body| check(body, operation::$operation::decode_response, $response),
        )),*];
    };
}

exchanges! {
    CreateTable: |_| {}, |_| {};
    ListTable: |_| {}, |_| {};
    DescribeTable: |_| {}, |_| {};
    UpdateTable: |_| {}, |_| {};
    DeleteTable: |_| {}, |_| {};
    AddDefinedColumn: |_| {}, |_| {};
    DeleteDefinedColumn: |_| {}, |_| {};
    CreateIndex: |_| {}, |_| {};
    DropIndex: |_| {}, |_| {};
    GetRow: |it| {
        rows::plainbuffer(&it.primary_key);
        filter(it.filter.as_ref());
    }, |it| rows::page(&it.row, Accept::Rows);
    PutRow: |it| {
        rows::plainbuffer(&it.row);
        filters::condition(&it.condition);
    }, |it| row(it.row.as_ref());
    UpdateRow: |it| {
        rows::plainbuffer(&it.row_change);
        filters::condition(&it.condition);
    }, |it| row(it.row.as_ref());
    DeleteRow: |it| {
        rows::plainbuffer(&it.primary_key);
        filters::condition(&it.condition);
    }, |it| row(it.row.as_ref());
    BatchGetRow: |it| for table in &it.tables {
        table.primary_key.iter().for_each(|key| rows::plainbuffer(key));
        filter(table.filter.as_ref());
    }, |it| for one in it.tables.iter().flat_map(|table| &table.rows) {
        row(one.row.as_ref());
    };
    BatchWriteRow: |it| for change in it.tables.iter().flat_map(|table| &table.rows) {
        rows::plainbuffer(&change.row_change);
        filters::condition(&change.condition);
    }, |it| for one in it.tables.iter().flat_map(|table| &table.rows) {
        row(one.row.as_ref());
    };
    GetRange: |it| {
        rows::plainbuffer(&it.inclusive_start_primary_key);
        rows::plainbuffer(&it.exclusive_end_primary_key);
        filter(it.filter.as_ref());
    }, |it| {
        block(&it.rows, it.data_block_type);
        row(it.next_start_primary_key.as_ref());
    };
    BulkImport: |it| for change in &it.rows {
        rows::plainbuffer(&change.row_change);
    }, |_| {};
    BulkExport: |it| {
        rows::plainbuffer(&it.inclusive_start_primary_key);
        rows::plainbuffer(&it.exclusive_end_primary_key);
        filter(it.filter.as_ref());
    }, |it| {
        block(&it.rows, it.data_block_type);
        row(it.next_start_primary_key.as_ref());
    };
    ComputeSplitPointsBySize: |_| {}, splits::splits;
    StartLocalTransaction: |it| rows::plainbuffer(&it.key), |_| {};
    CommitTransaction: |_| {}, |_| {};
    AbortTransaction: |_| {}, |_| {};
    CreateSearchIndex: |_| {}, |_| {};
    UpdateSearchIndex: |_| {}, |_| {};
    DeleteSearchIndex: |_| {}, |_| {};
    ListSearchIndex: |_| {}, |_| {};
    DescribeSearchIndex: |_| {}, |_| {};
    Search: |it| if let Some(Ok(search)) = it.search_query.clone().map(SearchQuery::decode) {
        search.query.iter().for_each(queries::query_message);
        searches::search(&search);
        it.routing_values.iter().for_each(|key| rows::plainbuffer(key));
    }, |it| {
        rows::separate(&it.rows);
        searches::response(it);
    };
    ComputeSplits: |_| {}, |_| {};
    ParallelScan: |it| if let Some(scan) = &it.scan_query {
        scan.query.iter().for_each(queries::query_message);
        searches::scan(scan);
    }, |it| rows::separate(&it.rows);
    SqlQuery: |_| {}, |it| if let Some(rows) = &it.rows {
        sql::sql_rows(rows);
    };
}

/// One byte says which message, the rest is the body.
pub(crate) fn message(data: &[u8]) {
    let Some((&which, body)) = data.split_first() else {
        return;
    };
    let Some((_, request, response)) = EXCHANGES.get(usize::from(which >> 1)) else {
        return;
    };
    let body = Bytes::copy_from_slice(body);
    if which & 1 == 0 {
        request(body);
    } else {
        response(body);
    }
}

/// Decodes a body, looks into it, and holds it to what it says when written again.
fn check<M: Message + Default>(
    body: Bytes,
    decode: fn(Bytes) -> Result<M, MessageError>,
    look: impl FnOnce(&M),
) {
    let plain = M::decode(body.clone());
    let message = match decode(body) {
        Ok(message) => message,
        Err(MessageError::TooLarge { .. }) => return,
        Err(_) => {
            assert!(plain.is_err(), "refused without a reason");
            return;
        }
    };
    assert_eq!(
        plain.expect("it was decoded").encode_to_vec(),
        message.encode_to_vec()
    );
    let bytes = message.encode_to_vec();
    let again = M::decode(&*bytes).expect("a message that was written");
    assert_eq!(again.encode_to_vec(), bytes);
    look(&message);
}

fn filter(field: Option<&Bytes>) {
    if let Some(bytes) = field {
        filters::filter(bytes);
    }
}

fn row(field: Option<&Bytes>) {
    if let Some(bytes) = field {
        rows::plainbuffer(bytes);
    }
}

fn block(rows: &Bytes, kind: Option<i32>) {
    if kind == Some(DataBlockType::SimpleRowMatrix as i32) {
        rows::matrix(rows);
    } else {
        rows::plainbuffer(rows);
    }
}
