//! Fault rules: what they do to requests, in this process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use common::{Client, get_request, id, put_request, range_request, rows, signed};
use http::Response;
use md5::{Digest, Md5};
use ots_emulator::{Answer, Emulator, FaultAction, FaultRule, Reply};
use ots_proto::messages::{GetRangeResponse, PrimaryKeyType};
use ots_proto::operation;
use ots_proto::plainbuffer::{Accept, Reader};
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row};
use prost::Message;

fn client() -> Client {
    let client = Client::new();
    client.create("t", &[("id", PrimaryKeyType::Integer)]);
    client
}

fn put(emulator: &Emulator, n: i64) -> Answer {
    let body = put_request("t", Row::new(id(n)).cell("n", n)).encode_to_vec();
    emulator.answer(signed(emulator, "PutRow", body.into()))
}

fn get(emulator: &Emulator, n: i64) -> Answer {
    let body = get_request("t", &id(n)).encode_to_vec();
    emulator.answer(signed(emulator, "GetRow", body.into()))
}

fn whole(answer: Answer) -> Response<Bytes> {
    match answer.reply {
        Reply::Whole(response) => response,
        other => panic!("{other:?}"),
    }
}

fn all() -> ots_proto::messages::GetRangeRequest {
    let bound = |value| PrimaryKey::new().column("id", value);
    range_request(
        "t",
        &bound(PrimaryKeyValue::InfMin),
        &bound(PrimaryKeyValue::InfMax),
    )
}

#[test]
fn an_error_and_a_throttle_refuse_without_applying() {
    let client = client();
    let faults = client.emulator.faults();
    faults.add(FaultRule::error(503, "OTSServerBusy").nth(1));
    faults.add(FaultRule::new(FaultAction::Throttle).times(1));
    for (status, code) in [(503, "OTSServerBusy"), (403, "OTSNotEnoughCapacityUnit")] {
        let row = Row::new(id(1)).cell("n", 1);
        let refusal = client.put("t", row).unwrap_err();
        assert_eq!((refusal.status, &*refusal.code), (status, code));
    }
    assert_eq!(client.get("t", &id(1)), None);
}

#[test]
fn an_error_without_a_message_has_the_one_of_its_code() {
    let client = client();
    let json = r#"{"do": {"error": {"http": 503, "code": "OTSPartitionUnavailable"}}}"#;
    for rule in FaultRule::list_from_json(json).unwrap() {
        client.emulator.faults().add(rule);
    }
    let refusal = client
        .call::<operation::GetRow>(&get_request("t", &id(1)))
        .unwrap_err();
    assert_eq!(refusal.message, "The partition is not available.");
}

#[test]
fn a_reply_lost_before_is_not_applied_and_one_lost_after_is() {
    let client = client();
    let faults = client.emulator.faults();
    faults.add(
        FaultRule::new(FaultAction::DropBefore)
            .operation("PutRow")
            .nth(1),
    );
    faults.add(
        FaultRule::new(FaultAction::DropAfter)
            .operation("PutRow")
            .times(1),
    );
    assert!(matches!(put(&client.emulator, 1).reply, Reply::Lost));
    assert!(matches!(put(&client.emulator, 2).reply, Reply::Lost));
    assert_eq!(client.get("t", &id(1)), None);
    assert!(client.get("t", &id(2)).is_some());

    faults.add(FaultRule::new(FaultAction::DropBefore).times(1));
    let request = signed(&client.emulator, "ListTable", Bytes::new());
    let response = client.emulator.handle(request);
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers().get("x-ots-requestid"), None);
}

#[test]
fn digest_signature_and_date_can_lie_one_at_a_time() {
    let client = client();
    let emulator = &client.emulator;
    let good = whole(get(emulator, 1));
    let lie = |action| {
        emulator.faults().add(FaultRule::new(action).times(1));
        whole(get(emulator, 1))
    };
    let digest = |response: &Response<Bytes>| STANDARD.encode(Md5::digest(response.body()));

    let bad_md5 = lie(FaultAction::BadMd5);
    assert_eq!(bad_md5.body(), good.body());
    assert_ne!(bad_md5.headers()["x-ots-contentmd5"], digest(&bad_md5));

    let bad_signature = lie(FaultAction::BadSignature);
    assert_eq!(bad_signature.headers()["x-ots-contentmd5"], digest(&good));
    let right = common::authorization("GetRow", bad_signature.headers());
    assert_ne!(bad_signature.headers()["authorization"], right);

    let skewed = lie(FaultAction::SkewDate { seconds: -3600 });
    common::check_response("GetRow", &skewed);
    let hour = |response: &Response<Bytes>| {
        let date = response.headers()["x-ots-date"].to_str().unwrap();
        date[11..13].parse::<i32>().unwrap()
    };
    let now = whole(get(emulator, 1));
    let behind = (hour(&now) - hour(&skewed)).rem_euclid(24);
    assert!((1..=2).contains(&behind), "{behind} hours behind");
}

#[test]
fn a_corrupt_checksum_is_found_by_the_reader_and_by_nothing_else() {
    let client = client();
    client.put("t", Row::new(id(1)).cell("n", 1)).unwrap();
    let rule = FaultRule::new(FaultAction::CorruptChecksum).operation("GetRange");
    client.emulator.faults().add(rule);
    // The call checks digest and signature.
    let page: GetRangeResponse = client.call::<operation::GetRange>(&all()).unwrap();
    let mut reader = Reader::new(&page.rows, Accept::Rows).unwrap();
    let error = loop {
        match reader.next_row() {
            Ok(row) => assert!(row.is_some(), "the rows are right"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("checksum"), "{error}");
}

#[test]
fn a_cut_reply_has_its_first_bytes_and_a_late_one_says_how_late() {
    let client = client();
    let emulator = &client.emulator;
    client.put("t", Row::new(id(1)).cell("n", 1)).unwrap();
    let good = whole(get(emulator, 1));
    let faults = emulator.faults();
    faults.add(FaultRule::new(FaultAction::Truncate { bytes: 3 }).times(1));
    faults.add(FaultRule::delay(Duration::from_millis(70)).times(1));
    let Reply::Cut {
        response,
        whole_bytes,
    } = get(emulator, 1).reply
    else {
        panic!("not cut");
    };
    assert_eq!(whole_bytes, good.body().len());
    assert_eq!(*response.body(), good.body()[..3]);
    let late = get(emulator, 1);
    assert_eq!(late.delay, Duration::from_millis(70));
    assert_eq!(whole(late).body(), good.body());
}

#[test]
fn an_empty_page_says_where_to_read_on_and_loses_no_row() {
    let client = client();
    for n in 0..5 {
        client.put("t", Row::new(id(n)).cell("n", n)).unwrap();
    }
    let faults = client.emulator.faults();
    faults.add(FaultRule::new(FaultAction::EmptyPage).table("t").times(3));
    let mut request = all();
    let mut seen = Vec::new();
    let mut empty = 0;
    loop {
        let page = client.call::<operation::GetRange>(&request).unwrap();
        empty += usize::from(page.rows.is_empty());
        seen.extend(rows(&page.rows));
        let Some(next) = page.next_start_primary_key else {
            break;
        };
        request.inclusive_start_primary_key = next;
    }
    assert_eq!((empty, seen.len()), (3, 5));
    assert_eq!(faults.list()[0].met, 3);
}

#[test]
fn a_rule_may_name_table_and_probability_and_the_seed_decides() {
    let met = |seed| {
        let client = Client::with(Emulator::builder().seed(seed));
        client.create("t", &[("id", PrimaryKeyType::Integer)]);
        let rule = FaultRule::error(503, "OTSServerBusy").probability(0.5);
        client.emulator.faults().add(rule.table("t"));
        (0..40)
            .map(|n| client.put("t", Row::new(id(n)).cell("n", n)).is_err())
            .collect::<Vec<_>>()
    };
    assert_eq!(met(1), met(1));
    assert_ne!(met(1), met(2));
    assert!(met(1).contains(&true) && met(1).contains(&false));
}

#[test]
fn time_moves_without_a_clock_of_ones_own_and_not_in_dates() {
    let emulator = Emulator::default();
    let before = emulator.now_ms();
    emulator.advance(Duration::from_secs(86_400 * 365));
    assert!(emulator.now_ms() - before >= 86_400_000 * 365);
    // Signed with the date the emulator shows, and that is today.
    let response = emulator.handle(signed(&emulator, "ListTable", Bytes::new()));
    assert_eq!(response.status(), 200);
    emulator.reset().unwrap();
    assert!(emulator.now_ms() - before < 86_400_000);
}

#[test]
fn rules_are_the_same_as_json() {
    for (rule, json) in [
        (
            FaultRule::error(503, "OTSServerBusy")
                .operation("GetRange")
                .nth(2),
            r#"{"match":{"op":"GetRange","nth":2},"do":{"error":{"http":503,"code":"OTSServerBusy","message":"Server is busy."}}}"#,
        ),
        (
            FaultRule::delay(Duration::from_millis(50))
                .index("i")
                .split(3)
                .times(4),
            r#"{"match":{"index":"i","split":3},"do":{"delay":{"ms":50}},"times":4}"#,
        ),
        (
            FaultRule::new(FaultAction::ExpireSession)
                .probability(0.25)
                .table("t"),
            r#"{"match":{"table":"t","prob":0.25},"do":"expire_session"}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&rule).unwrap(), json);
        assert_eq!(serde_json::from_str::<FaultRule>(json).unwrap(), rule);
    }
    for wrong in [
        r#"{"do":"explode"}"#,
        r#"{"do":"drop_after","match":{"operation":"GetRow"}}"#,
        r#"{"match":{}}"#,
    ] {
        assert!(serde_json::from_str::<FaultRule>(wrong).is_err(), "{wrong}");
    }
}
