//! The yardstick: a client of eighty lines that nobody should use. A connection and a task for each
//! split; no session, no retries, no limits, no clock, no pool; its signature is made once, and those of
//! the answers are believed. Every page lands in one buffer, and every row is walked with its checksums.

use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ots_benches::{walk_range, walk_rows};
use ots_core::PrimaryKey;
use ots_core::sign::content_md5;
use ots_proto::messages::{
    Direction, GetRangeRequest, GetRangeResponse, ParallelScanRequest, ParallelScanResponse,
    ScanQuery,
};
use ots_proto::plainbuffer::write_primary_key;
use prost::Message as _;
use tokio::net::TcpStream;

use crate::work::{Outcome, Work};

/// How many rows were walked.
pub(crate) async fn scan(server: SocketAddr, work: &Work, digests: bool) -> Outcome<usize> {
    let read = |split| read_split(server, work.clone(), split, digests);
    let tasks: Vec<_> = (0..work.splits)
        .map(|split| tokio::spawn(read(split)))
        .collect();
    let mut rows = 0;
    for task in tasks {
        rows += task.await??;
    }
    Ok(rows)
}

async fn read_split(server: SocketAddr, work: Work, split: u32, digests: bool) -> Outcome<usize> {
    let mut connection = Connection::open(server, digests).await?;
    let (mut rows, mut token) = (0, None);
    loop {
        let scan = ScanQuery {
            limit: Some(2_000),
            token: token.take(),
            current_parallel_id: Some(split.try_into()?),
            max_parallel: Some(work.splits.try_into()?),
            ..ScanQuery::default()
        };
        let request = ParallelScanRequest {
            table_name: Some(work.table()),
            index_name: Some("an_index".into()),
            scan_query: Some(scan),
            ..ParallelScanRequest::default()
        };
        let body = connection
            .call("/ParallelScan", request.encode_to_vec())
            .await?;
        let page = ParallelScanResponse::decode(body)?;
        rows += walk_rows(&page.rows)?;
        match page.next_token {
            Some(next) => token = Some(next),
            None => return Ok(rows),
        }
    }
}

/// As [`scan`], by key: a range for each split.
pub(crate) async fn range(server: SocketAddr, work: &Work, digests: bool) -> Outcome<usize> {
    let read = |split| read_range(server, work.clone(), split, digests);
    let tasks: Vec<_> = (0..work.splits)
        .map(|split| tokio::spawn(read(split)))
        .collect();
    let mut rows = 0;
    for task in tasks {
        rows += task.await??;
    }
    Ok(rows)
}

async fn read_range(server: SocketAddr, work: Work, split: u32, digests: bool) -> Outcome<usize> {
    let mut connection = Connection::open(server, digests).await?;
    let key =
        |split| write_primary_key(&PrimaryKey::new().column("id", i64::from(split) * 1_000_000));
    let (mut rows, mut start) = (0, key(split));
    loop {
        let request = GetRangeRequest {
            table_name: work.table(),
            direction: Direction::Forward.into(),
            max_versions: Some(1),
            inclusive_start_primary_key: start,
            exclusive_end_primary_key: key(split + 1),
            ..GetRangeRequest::default()
        };
        let body = connection
            .call("/GetRange", request.encode_to_vec())
            .await?;
        let page = GetRangeResponse::decode(body)?;
        rows += walk_range(&page.rows)?;
        match page.next_start_primary_key {
            Some(next) => start = next,
            None => return Ok(rows),
        }
    }
}

struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    digests: bool,
}

impl Connection {
    async fn open(server: SocketAddr, digests: bool) -> Outcome<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, digests })
    }

    async fn call(&mut self, path: &str, body: Vec<u8>) -> Outcome<Bytes> {
        let request = Request::post(path)
            .header("host", "loopback")
            .header("x-ots-date", "2024-01-02T03:04:05.000000Z")
            .header("x-ots-apiversion", "2015-12-31")
            .header("x-ots-accesskeyid", "LTAI4FzCEcUDRgN1YYbGZjtC")
            .header("x-ots-instancename", "loopback")
            .header("x-ots-contentmd5", "1B2M2Y8AsgTpgAmY7PhCfg==")
            .header("x-ots-signature", "2jmj7l5rSw0yVb/vlWAYkK/YBwk=")
            .body(Full::new(Bytes::from(body)))?;
        self.sender.ready().await?;
        let (head, mut body) = self.sender.send_request(request).await?.into_parts();
        let header = |name| head.headers.get(name).ok_or("a header is missing");
        let length = header("content-length")?.to_str()?.parse()?;
        let mut buffer = BytesMut::with_capacity(length);
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame?.into_data() {
                buffer.extend_from_slice(&data);
            }
        }
        if self.digests && header("x-ots-contentmd5")? != &content_md5(&buffer) {
            return Err("damaged on the way".into());
        }
        Ok(buffer.freeze())
    }
}
