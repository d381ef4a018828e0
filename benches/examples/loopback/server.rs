//! A service that answers with pages made beforehand, each signed and with its MD5: in a process of its
//! own, so that what the client takes can be told apart.
//!
//! Plain threads and blocking sockets: they sleep more exactly than a timer of whole milliseconds, and
//! take little from the processor that the client is measured on.

use std::io::{self, BufReader, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut as _, Bytes, BytesMut};
use md5::{Digest as _, Md5};
use ots_benches::Shape;
use ots_core::sign::SigningKey;
use ots_core::{PrimaryKey, PrimaryKeyValue};
use ots_proto::messages::{
    ComputeSplitPointsBySizeRequest, ComputeSplitPointsBySizeResponse, ComputeSplitsResponse,
    ConsumedCapacity, GetRangeRequest, GetRangeResponse, ParallelScanRequest, ParallelScanResponse,
    PrimaryKeySchema, PrimaryKeyType,
};
use ots_proto::plainbuffer::{Writer, read_primary_key, write_primary_key, write_row};
use prost::Message as _;

use crate::work::{DATE, KEY_ID, Outcome, SECRET, Work};

/// The largest difference between the keys of two pages of one range.
const RANGE: i64 = 1_000_000;

/// Serves until the process ends, and prints its port first.
pub(crate) fn run() -> Outcome<()> {
    let service = Arc::new(Service::new());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    // The parent's end closes with the parent.
    thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    for connection in listener.incoming() {
        let service = Arc::clone(&service);
        let connection = connection?;
        thread::spawn(move || service.serve(connection));
    }
    Ok(())
}

struct Service {
    key: SigningKey,
    pages: Vec<(&'static str, Page, Page)>,
}

/// The rows of a page as a response has them, and the state of the MD5 behind them: what follows in the
/// body is short, and differs from page to page.
struct Page {
    body: Bytes,
    digest: Md5,
}

impl Page {
    fn new(body: Vec<u8>) -> Self {
        let digest = Md5::new_with_prefix(&body);
        let body = body.into();
        Self { body, digest }
    }
}

impl Service {
    fn new() -> Self {
        let of_shape = |shape: Shape| (shape.name(), shape.rows(shape.page_rows()));
        let shapes = [Shape::Narrow, Shape::Wide, Shape::Text].map(of_shape);
        let pages = shapes.into_iter().chain([("empty", Vec::new())]);
        let pages = pages.map(|(name, rows)| {
            let scanned = ParallelScanResponse {
                rows: rows.iter().map(write_row).collect(),
                next_token: None,
            };
            let mut writer = Writer::new();
            rows.iter().for_each(|row| writer.row(row));
            let range = GetRangeResponse {
                rows: writer.finish(),
                ..GetRangeResponse::default()
            };
            let scanned = Page::new(scanned.encode_to_vec());
            (name, scanned, Page::new(range.encode_to_vec()))
        });
        Self {
            key: SigningKey::v2(SECRET),
            pages: pages.collect(),
        }
    }

    /// Until the client has no more to ask.
    fn serve(&self, mut connection: TcpStream) -> Outcome<()> {
        connection.set_nodelay(true)?;
        let mut requests = BufReader::new(connection.try_clone()?);
        while let Some((operation, body)) = read_request(&mut requests)? {
            let answer = self.answer(&operation, body)?;
            let head = self.head(&operation, &answer);
            write_all(
                &mut connection,
                &mut [
                    &head,
                    answer.page.map_or(&[], |page| &page.body),
                    &answer.tail,
                ],
            )?;
        }
        Ok(())
    }

    fn answer(&self, operation: &str, body: Bytes) -> Outcome<Answer<'_>> {
        match operation {
            "ComputeSplits" => Ok(Answer::small(&ComputeSplitsResponse {
                session_id: Some(Bytes::from_static(b"a session")),
                splits_size: Some(64),
            })),
            "ParallelScan" => {
                let request = ParallelScanRequest::decode(body)?;
                let work = Work::from_table(request.table_name()).ok_or("no such table")?;
                let token = request.scan_query.and_then(|scan| scan.token);
                let page = token.map_or(Ok(0), |token| {
                    token.as_ref().try_into().map(u32::from_le_bytes)
                })?;
                let next = page + 1;
                let tail = ParallelScanResponse {
                    rows: Vec::new(),
                    next_token: (next < work.pages)
                        .then(|| Bytes::copy_from_slice(&next.to_le_bytes())),
                };
                thread::sleep(work.latency);
                Ok(Answer {
                    page: self.page(&work).map(|(scanned, _)| scanned),
                    tail: tail.encode_to_vec(),
                })
            }
            "ComputeSplitPointsBySize" => {
                let request = ComputeSplitPointsBySizeRequest::decode(body)?;
                let work = Work::from_table(&request.table_name).ok_or("no such table")?;
                let points = (1..i64::from(work.splits)).map(|split| key(split * RANGE));
                Ok(Answer::small(&ComputeSplitPointsBySizeResponse {
                    consumed: ConsumedCapacity::default(),
                    schema: vec![PrimaryKeySchema {
                        name: "id".into(),
                        r#type: PrimaryKeyType::Integer.into(),
                        option: None,
                    }],
                    split_points: points.collect(),
                    locations: Vec::new(),
                }))
            }
            "GetRange" => {
                let request = GetRangeRequest::decode(body)?;
                let work = Work::from_table(&request.table_name).ok_or("no such table")?;
                let place = place(&request.inclusive_start_primary_key)?;
                let goes_on = place % RANGE + 1 < i64::from(work.pages);
                // Only what is behind the rows: the consumed capacity is there already.
                let mut tail = BytesMut::new();
                if goes_on {
                    let key = key(place + 1);
                    prost::encoding::bytes::encode(3, &key, &mut tail);
                }
                thread::sleep(work.latency);
                Ok(Answer {
                    page: self.page(&work).map(|(_, range)| range),
                    tail: tail.to_vec(),
                })
            }
            _ => Err(format!("no such operation: {operation}").into()),
        }
    }

    fn page(&self, work: &Work) -> Option<(&Page, &Page)> {
        let of_shape = self.pages.iter().find(|(name, ..)| *name == work.shape);
        of_shape.map(|(_, scanned, range)| (scanned, range))
    }

    fn head(&self, operation: &str, answer: &Answer<'_>) -> Vec<u8> {
        let mut digest = answer
            .page
            .map_or_else(Md5::new, |page| page.digest.clone());
        digest.update(&answer.tail);
        let digest = STANDARD.encode(digest.finalize());
        let headers = [
            ("x-ots-contentmd5", digest.as_str()),
            ("x-ots-contenttype", "protocol buffer"),
            ("x-ots-date", DATE),
            ("x-ots-requestid", "0005aedd-5b9e-9b48-a5c1-720b12a7b4bb"),
        ];
        let signature = self.key.sign_response(operation, headers);
        let length = answer.page.map_or(0, |page| page.body.len()) + answer.tail.len();
        let mut head = BytesMut::new();
        head.put_slice(b"HTTP/1.1 200 OK\r\n");
        for (name, value) in headers {
            head.put_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        head.put_slice(format!("authorization: OTS {KEY_ID}:{signature}\r\n").as_bytes());
        head.put_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
        head.to_vec()
    }
}

struct Answer<'service> {
    page: Option<&'service Page>,
    tail: Vec<u8>,
}

impl Answer<'_> {
    fn small(message: &impl prost::Message) -> Self {
        let tail = message.encode_to_vec();
        Self { page: None, tail }
    }
}

fn key(id: i64) -> Bytes {
    write_primary_key(&PrimaryKey::new().column("id", id))
}

/// Of a key: the split, times the range, plus the page.
fn place(key: &Bytes) -> Outcome<i64> {
    Ok(match read_primary_key(key)?.get("id") {
        Some(PrimaryKeyValue::Integer(id)) => *id,
        // Where the table begins.
        _ => 0,
    })
}

/// The operation and the body of the next request; none when the client has closed the connection.
fn read_request(connection: &mut BufReader<TcpStream>) -> Outcome<Option<(String, Bytes)>> {
    use std::io::BufRead as _;
    let (mut operation, mut length, mut line) = (None, 0, String::new());
    loop {
        line.clear();
        if connection.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        match (operation.is_some(), text.split_once(": ")) {
            (false, _) => {
                let path = text.split(' ').nth(1).ok_or("no path")?;
                operation = Some(path.trim_start_matches('/').to_owned());
            }
            (true, Some((name, value))) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse()?;
            }
            _ => {}
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok(operation.map(|operation| (operation, body.into())))
}

/// All parts, in as few packets as they fit into.
fn write_all(connection: &mut TcpStream, parts: &mut [&[u8]]) -> io::Result<()> {
    let mut parts: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut left = parts.as_mut_slice();
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        let written = connection.write_vectored(left)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        IoSlice::advance_slices(&mut left, written);
    }
    Ok(())
}
