//! Compressed bodies: what is signed and hashed, and what an answer may not do to us.
#![cfg(feature = "compression")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use http::Request;
use md5::{Digest as _, Md5};
use ots_core::request::{ListTable, PutRow};
use ots_core::retry::NoRetry;
use ots_core::transport::Scripted;
use ots_core::{Client, Compression, Error, ErrorKind, PrimaryKey, ResponseProblem, Row, sign};
use ots_proto::messages;
use prost::Message as _;

mod common;

use common::{Answer, SECRET, builder, clock};

const TYPE: &str = "x-ots-response-compress-type";
const SIZE: &str = "x-ots-response-compress-size";

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn md5(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

/// A client that asks for compression, and what it sends.
fn client(
    steps: impl IntoIterator<Item = Answer>,
    compression: Compression,
) -> (Client, Arc<Scripted>) {
    let steps = steps.into_iter().map(Answer::step);
    let transport = Arc::new(Scripted::new(steps));
    let client = builder(Arc::clone(&transport), &clock())
        .compression(compression)
        .retry(NoRetry);
    (client.build().unwrap(), transport)
}

fn header<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

/// Many tables, so that they are worth compressing.
fn tables() -> messages::ListTableResponse {
    let table_names = (0..1000).map(|number| format!("table_{number:04}"));
    messages::ListTableResponse {
        table_names: table_names.collect(),
    }
}

/// An answer as the service compresses it.
fn compressed(status: u16, body: &[u8]) -> Answer {
    Answer::new(status, deflate(body))
        .header(TYPE, "deflate")
        .header(SIZE, body.len().to_string())
}

async fn refused(answer: Answer, compression: Compression) -> Error {
    let (client, _) = client([answer], compression);
    client.send(ListTable::new()).await.unwrap_err()
}

fn problem(error: &Error) -> &ResponseProblem {
    let ErrorKind::Response(problem) = error.kind() else {
        unreachable!("{error:?}");
    };
    problem
}

#[tokio::test]
async fn a_long_request_travels_compressed_and_its_bytes_are_what_is_signed() {
    let answer = || Answer::ok(&messages::PutRowResponse::default());
    let (client, transport) = client([answer(), answer()], Compression::deflate());
    let key = || PrimaryKey::new().column("id", 7);
    let long = Row::new(key()).cell("text", "abc ".repeat(1000));
    client.send(PutRow::new("notes", long)).await.unwrap();
    client
        .send(PutRow::new("notes", Row::new(key())))
        .await
        .unwrap();

    let sent = transport.sent();
    let (long, short) = (&sent[0], &sent[1]);
    let mut body = Vec::new();
    ZlibDecoder::new(&long.body()[..])
        .read_to_end(&mut body)
        .unwrap();
    let message = messages::PutRowRequest::decode(&body[..]).unwrap();
    assert_eq!(message.table_name, "notes");
    assert!(long.body().len() < body.len() / 10);
    assert_eq!(header(long, "x-ots-request-compress-type"), Some("deflate"));
    let size = body.len().to_string();
    assert_eq!(header(long, "x-ots-request-compress-size"), Some(&*size));
    let digest = md5(long.body());
    assert_eq!(header(long, "x-ots-contentmd5"), Some(&*digest));
    // The headers about compression are signed as every other.
    let headers = long.headers().iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let signature = sign::v2::sign(SECRET, "PutRow", headers);
    assert_eq!(header(long, "x-ots-signature"), Some(&*signature));

    assert!(messages::PutRowRequest::decode(&short.body()[..]).is_ok());
    assert_eq!(header(short, "x-ots-request-compress-type"), None);
    for request in &sent {
        assert_eq!(header(request, TYPE), Some("deflate"));
    }
}

#[tokio::test]
async fn what_compression_would_not_shorten_travels_as_it_is() {
    let answer = Answer::ok(&messages::PutRowResponse::default());
    let (client, transport) = client([answer], Compression::deflate());
    let mut random = fastrand::Rng::with_seed(7);
    let noise: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
        .take(5000)
        .collect();
    let row = Row::new(PrimaryKey::new().column("id", 7)).cell("noise", noise);
    client.send(PutRow::new("notes", row)).await.unwrap();
    assert_eq!(
        header(&transport.sent()[0], "x-ots-request-compress-type"),
        None
    );
}

#[tokio::test]
async fn answers_come_compressed_or_not_and_with_the_digest_of_either_form() {
    let body = tables().encode_to_vec();
    let answers = [
        compressed(200, &body),
        compressed(200, &body).with("x-ots-contentmd5", md5(&body)),
        Answer::ok(&tables()),
    ];
    let (client, _) = client(answers, Compression::deflate());
    for _ in 0..3 {
        let reply = client.send(ListTable::new()).await.unwrap();
        assert_eq!(*reply, tables().table_names);
        assert_eq!(reply.body_bytes, body.len());
    }
    // As received: two of the three were short.
    let received = 2 * deflate(&body).len() + body.len();
    assert_eq!(
        client.usage().bytes_received,
        u64::try_from(received).unwrap()
    );
}

#[tokio::test]
async fn a_compressed_refusal_is_understood() {
    let refusal = messages::Error {
        code: "OTSObjectNotExist".to_owned(),
        message: Some("Requested table does not exist.".to_owned()),
        ..messages::Error::default()
    };
    let error = refused(
        compressed(404, &refusal.encode_to_vec()),
        Compression::deflate(),
    )
    .await;
    assert_eq!(error.code().unwrap().as_str(), "OTSObjectNotExist");
}

#[tokio::test]
async fn without_asking_or_under_another_name_nothing_is_inflated() {
    let body = tables().encode_to_vec();
    let mut only_requests = Compression::deflate();
    only_requests.responses = false;
    let (quiet, transport) = client([compressed(200, &body)], only_requests);
    let error = quiet.send(ListTable::new()).await.unwrap_err();
    let unasked = |algorithm: &str| ResponseProblem::Compressed {
        algorithm: algorithm.to_owned(),
    };
    assert_eq!(problem(&error), &unasked("deflate"));
    assert_eq!(header(&transport.sent()[0], TYPE), None);

    let other = compressed(200, &body).with(TYPE, "gzip");
    let error = refused(other, Compression::deflate()).await;
    assert_eq!(problem(&error), &unasked("gzip"));
}

/// 64 MiB of zeros in 64 KiB: the limit holds whatever its headers state.
#[tokio::test]
async fn a_bomb_does_not_go_off() {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = vec![0; 1 << 20];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let mut small = Compression::deflate();
    small.max_inflated_bytes = 1 << 20;
    let answer = |stated: &str| {
        Answer::new(200, bomb.clone())
            .header(TYPE, "deflate")
            .header(SIZE, stated)
    };
    for honest in ["67108864", "1048577", "99999999999999999999999"] {
        let error = refused(answer(honest), small).await;
        let limit_bytes = 1 << 20;
        assert_eq!(
            problem(&error),
            &ResponseProblem::InflatedTooLarge { limit_bytes }
        );
        assert!(!error.is_retryable());
        assert!(
            error
                .to_string()
                .contains("longer than 1048576 bytes when inflated"),
            "{error}"
        );
    }
    let error = refused(answer("1048576"), small).await;
    assert_eq!(problem(&error), &ResponseProblem::Inflate);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "it is longer than the 1048576 bytes it states");
}

#[tokio::test]
async fn nothing_is_inflated_for_somebody_else() {
    let body = tables().encode_to_vec();
    // Broken on purpose: had it been inflated, the error would be another.
    let foreign = Answer::new(200, &b"no zlib"[..])
        .header(TYPE, "deflate")
        .header(SIZE, body.len().to_string())
        .signed_by(common::ID, "another secret");
    let error = refused(foreign, Compression::deflate()).await;
    assert_eq!(problem(&error), &ResponseProblem::Signature);
    // A refusal need not be signed; more than a refusal's worth is not inflated for one.
    let long = vec![0; 1 << 20];
    let error = refused(compressed(403, &long).unsigned(), Compression::deflate()).await;
    let limit_bytes = 64 * 1024;
    assert_eq!(
        problem(&error),
        &ResponseProblem::InflatedTooLarge { limit_bytes }
    );
}

#[tokio::test]
async fn damage_is_noticed() {
    let body = tables().encode_to_vec();
    let deflated = deflate(&body);
    let answer = |bytes: Vec<u8>, stated: &str| {
        Answer::new(200, bytes)
            .header(TYPE, "deflate")
            .header(SIZE, stated)
    };
    let length = body.len().to_string();
    let cut = deflated[..deflated.len() - 3].to_vec();
    let longer = [&deflated[..], b"more"].concat();
    let mut flipped = deflated.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    let raw = deflated[2..deflated.len() - 4].to_vec();
    let more = (body.len() + 1).to_string();
    let less = (body.len() - 1).to_string();
    for (name, answer) in [
        ("cut", answer(cut, &length)),
        ("longer", answer(longer, &length)),
        ("flipped", answer(flipped.clone(), &length)),
        ("without the zlib header", answer(raw, &length)),
        ("states more", answer(deflated.clone(), &more)),
        ("states less", answer(deflated.clone(), &less)),
        ("states nonsense", answer(deflated.clone(), "-1")),
        ("states nothing", answer(deflated.clone(), "")),
    ] {
        let error = refused(answer, Compression::deflate()).await;
        assert_eq!(
            problem(&error),
            &ResponseProblem::Inflate,
            "{name}: {error:?}"
        );
        assert!(std::error::Error::source(&error).is_some(), "{name}");
        assert!(error.is_retryable());
    }
    let missing = Answer::new(200, deflated.clone()).header(TYPE, "deflate");
    let error = refused(missing, Compression::deflate()).await;
    assert_eq!(
        problem(&error),
        &ResponseProblem::MissingHeader { name: SIZE }
    );

    // A whole stream of other tables under the first one's headers.
    let other = deflate(&vec![b'x'; body.len()]);
    let swapped = compressed(200, &body).damaged(&other);
    let error = refused(swapped, Compression::deflate()).await;
    assert_eq!(problem(&error), &ResponseProblem::BodyDigest);
}

proptest::proptest! {
    #[test]
    fn any_bytes_end_in_an_answer_or_an_error(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
        stated in 0_usize..100_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let answer = Answer::new(200, bytes).header(TYPE, "deflate").header(SIZE, stated.to_string());
            let (client, _) = client([answer], Compression::deflate());
            // Nothing may be a stream of nothing.
            if let Ok(tables) = client.send(ListTable::new()).await {
                assert!(stated == 0 && tables.into_inner().is_empty());
            }
        });
    }
}
