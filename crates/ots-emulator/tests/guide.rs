//! The guide to the emulator says what is so.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::collections::BTreeSet;

use bytes::Bytes;
use common::{Client, id};
use http::Request;
use ots_emulator::{AccessKey, FaultRule};
use ots_proto::Row;
use ots_proto::messages::PrimaryKeyType;
use serde_json::Value;

const GUIDE: &str = include_str!("../../../docs/guides/emulator.md");

/// The blocks of code in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    let parts = GUIDE.split(&*begin).skip(1);
    parts
        .map(|part| part.split_once("```").unwrap().0)
        .collect()
}

/// A line of curl as method, path and body.
fn curl(line: &str) -> Option<(&str, &str, &str)> {
    let rest = line.strip_prefix("curl ")?;
    let (rest, body) = rest.split_once(" -d '").unwrap_or((rest, ""));
    let (method, url) = match rest.strip_prefix("-X ") {
        Some(rest) => rest.split_once(' ').unwrap(),
        None => ("GET", rest),
    };
    let path = url.strip_prefix("http://127.0.0.1:8087").unwrap();
    Some((method, path, body.trim_end_matches('\'')))
}

fn ask(client: &Client, method: &str, path: &str, body: &str) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Bytes::from(body.to_owned())).unwrap();
    let response = client.emulator.handle(request);
    let body = serde_json::from_slice(response.body()).unwrap();
    (response.status().as_u16(), body)
}

#[test]
fn every_line_of_curl_in_the_guide_works_and_every_request_has_one() {
    let directory = tempfile::tempdir().unwrap();
    let client = Client::open(directory.path());
    let lines = blocks("sh").into_iter().flat_map(str::lines);
    let mut asked = BTreeSet::new();
    for (method, path, body) in lines.filter_map(curl) {
        let (status, answer) = ask(&client, method, path, body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
        asked.insert(format!("{method} {path}"));
    }
    let (_, answer) = ask(&client, "GET", "/admin/", "");
    let known = answer["error"].as_str().unwrap();
    let known = known.strip_prefix("the admin API has /admin/{").unwrap();
    for name in known.strip_suffix('}').unwrap().split(',') {
        let has_a_line = |line: &&String| line.ends_with(&format!(" /admin/{name}"));
        assert!(asked.iter().any(|line| has_a_line(&line)), "{name}");
    }
    assert_eq!(asked.len(), 12);
}

#[test]
fn the_json_of_the_guide_is_what_the_emulator_takes() {
    let blocks = blocks("json");
    let [keys, rules] = blocks[..] else {
        panic!("{blocks:?}");
    };
    assert_eq!(AccessKey::list_from_json(keys).unwrap().len(), 4);
    assert_eq!(FaultRule::list_from_json(rules).unwrap().len(), 3);
    // Every action of the table, as a rule.
    let table = GUIDE.split_once("| `do` | |\n|---|---|\n").unwrap().1;
    let table = table.split_once("\n\n").unwrap().0;
    let mut actions = 0;
    for row in table.lines() {
        let cell = row.split(" | ").next().unwrap();
        for action in cell.split('`').skip(1).step_by(2) {
            let json = format!(r#"{{"do": {action}}}"#);
            assert_eq!(
                FaultRule::list_from_json(&json).unwrap().len(),
                1,
                "{action}"
            );
            actions += 1;
        }
    }
    assert_eq!(actions, 15);
}

#[test]
fn tables_and_stats_say_what_the_guide_promises() {
    let client = Client::new();
    client.create("t", &[("id", PrimaryKeyType::Integer)]);
    for n in 0..3 {
        client
            .put("t", Row::new(id(n)).cell("text", "12345"))
            .unwrap();
    }
    client.get("t", &id(1)).unwrap();
    client.get("t", &id(9));
    assert!(client.put("absent", Row::new(id(1))).is_err());
    let (_, tables) = ask(&client, "GET", "/admin/tables", "");
    // Names and values: "id" and 8, "text" and 5.
    let expected = serde_json::json!({
        "instances": {"test-instance": [{"name": "t", "rows": 3, "bytes": 57, "indexes": []}]}
    });
    assert_eq!(tables, expected);
    let (_, stats) = ask(&client, "GET", "/admin/stats", "");
    let number = |path: &str| stats.pointer(path).unwrap().as_u64().unwrap();
    assert_eq!(number("/requests"), 7);
    assert_eq!(number("/refused"), 1);
    assert_eq!(number("/read_units"), 2);
    assert_eq!(number("/write_units"), 3);
    assert_eq!((number("/tables"), number("/rows")), (1, 3));
    assert_eq!(number("/sessions"), 0);
    assert_eq!(number("/operations/PutRow/requests"), 4);
    assert_eq!(number("/operations/PutRow/refused"), 1);
    assert_eq!(number("/operations/PutRow/write_units"), 3);
    assert_eq!(number("/operations/GetRow/read_units"), 2);
}
