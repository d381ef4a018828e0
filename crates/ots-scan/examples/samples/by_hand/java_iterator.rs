//! Java, "iterator", with its advice for errors: throw away what came, and begin anew.
//!
//! - The second attempt is in the session of the first: where that was lost, it is in vain, too.
//! - An error of the network costs all rows that have come.
//! - All rows are kept until the end, as nothing can be done with one that may be thrown away.
//!
//! As printed, the sample adds to one list by each of its three ways, so every row is in it three
//! times. This is the way that it recommends, alone.

use bytes::Bytes;
use ots_core::request::ComputeSplits;
use ots_core::{Client, Query, Row};
use ots_proto::NameCache;
use ots_proto::plainbuffer::SeparateRows;

use super::request;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

pub(crate) async fn scan(client: &Client) -> Outcome<Vec<Row>> {
    let splits = client
        .send(ComputeSplits::new("orders", "orders_index"))
        .await?;
    let mut result = Vec::new();
    if iterate(&mut result, client, &splits.session_id)
        .await
        .is_err()
    {
        result.clear();
        iterate(&mut result, client, &splits.session_id).await?;
    }
    Ok(result)
}

async fn iterate(result: &mut Vec<Row>, client: &Client, session: &Bytes) -> Outcome<()> {
    let mut request = request(session, Query::MatchAll);
    let mut names = NameCache::default();
    loop {
        let page = client.send(request.clone()).await?;
        let mut rows = SeparateRows::new(&page.rows);
        while let Some(row) = rows.next_row()? {
            result.push(row.to_row(&mut names));
        }
        match &page.next_token {
            Some(token) => request = request.token(token.clone()),
            None => return Ok(()),
        }
    }
}
