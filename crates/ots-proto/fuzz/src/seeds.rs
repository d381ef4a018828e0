//! What the fuzzers begin with: the golden vectors, and queries as JSON.

use serde_json::Value;

use super::messages::EXCHANGES;

/// The seeds of a target, each with a name of its own.
///
/// # Panics
/// When a vector isn't as it should be.
pub fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    match target {
        "plainbuffer" => vectors(PLAINBUFFER, |kind| kind != "variant"),
        "variant" => vectors(PLAINBUFFER, |kind| kind == "variant"),
        "separate_rows" => separate_rows(),
        "matrix" => vectors(MATRIX, |_| true),
        "message" => messages(),
        "filter" => filters(),
        "query" => queries(),
        "query_json" => query_json(),
        "sql_rows" => vectors(SQL_ROWS, |_| true),
        other => panic!("no seeds for {other:?}"),
    }
}

const PLAINBUFFER: &str = include_str!("../../vectors/plainbuffer.json");
const MATRIX: &str = include_str!("../../vectors/simple_row_matrix.json");
const SQL_ROWS: &str = include_str!("../../vectors/sql_rows.json");
const REQUESTS: &str = include_str!("../../vectors/requests.json");
const RESPONSES: &str = include_str!("../../vectors/responses.json");

fn cases(file: &str) -> Vec<Value> {
    let json: Value = serde_json::from_str(file).expect("JSON");
    json["cases"].as_array().expect("cases").clone()
}

fn bytes(case: &Value) -> Vec<u8> {
    hex::decode(case["hex"].as_str().expect("hex")).expect("hex")
}

fn name(case: &Value) -> String {
    case["name"].as_str().expect("a name").to_owned()
}

fn vectors(file: &str, wanted: impl Fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    cases(file)
        .iter()
        .filter(|case| case["kind"].as_str().is_none_or(&wanted))
        .map(|case| (name(case), bytes(case)))
        .collect()
}

/// Every buffer alone, then three in a row.
fn separate_rows() -> Vec<(String, Vec<u8>)> {
    let framed = |buffer: &[u8]| {
        let length = u16::try_from(buffer.len()).unwrap_or(u16::MAX);
        [&length.to_le_bytes(), buffer].concat()
    };
    let buffers = vectors(PLAINBUFFER, |kind| kind == "put_row");
    let three = buffers
        .iter()
        .take(3)
        .flat_map(|(_, buffer)| framed(buffer));
    let three = ("three".to_owned(), three.collect());
    let mut seeds: Vec<_> = buffers
        .iter()
        .map(|(name, buffer)| (name.clone(), framed(buffer)))
        .collect();
    seeds.push(three);
    seeds
}

/// The byte that says which message, and the body.
fn messages() -> Vec<(String, Vec<u8>)> {
    let mut seeds = Vec::new();
    for (file, side) in [(REQUESTS, 0_u8), (RESPONSES, 1)] {
        for case in cases(file) {
            let api = case["api"].as_str().expect("an operation");
            let Some(index) = EXCHANGES.iter().position(|(name, ..)| *name == api) else {
                continue;
            };
            let which = u8::try_from(index * 2).expect("few operations") + side;
            seeds.push((name(&case), [&[which][..], &bytes(&case)].concat()));
        }
    }
    seeds
}

/// The field of a request that holds a filter, by the numbers that lead to it.
fn filters() -> Vec<(String, Vec<u8>)> {
    let paths: &[(&str, &[u64])] = &[
        ("get_row_filter_single", &[7]),
        ("get_row_filter_nested", &[7]),
        ("get_row_filter_regex_int", &[7]),
        ("get_row_filter_regex_exist", &[7]),
        ("get_row_pagination_filter", &[7]),
        ("put_row_condition_return_pk", &[3, 2]),
        ("get_range_everything", &[10]),
        ("bulk_export", &[5]),
    ];
    let requests = cases(REQUESTS);
    paths
        .iter()
        .map(|(wanted, path)| {
            let case = requests.iter().find(|case| case["name"] == **wanted);
            let body = bytes(case.expect("a case"));
            let filter = path
                .iter()
                .try_fold(&*body, |body, number| field(body, *number));
            ((*wanted).to_owned(), filter.expect("a filter").to_vec())
        })
        .collect()
}

/// The query of every search: field 4 of what field 4 of the request holds.
fn queries() -> Vec<(String, Vec<u8>)> {
    cases(REQUESTS)
        .iter()
        .filter(|case| case["api"] == "Search")
        .filter_map(|case| {
            let body = bytes(case);
            let query = field(field(&body, 4)?, 4)?;
            Some((name(case), query.to_vec()))
        })
        .collect()
}

/// The first field of this number that has a length.
fn field(body: &[u8], number: u64) -> Option<&[u8]> {
    let mut rest = body;
    loop {
        let key = varint(&mut rest)?;
        let length = match key & 7 {
            0 => {
                varint(&mut rest)?;
                0
            }
            1 => 8,
            2 => usize::try_from(varint(&mut rest)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (value, after) = rest.split_at_checked(length)?;
        if key >> 3 == number && key & 7 == 2 {
            return Some(value);
        }
        rest = after;
    }
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn query_json() -> Vec<(String, Vec<u8>)> {
    let queries = [
        r#"{"match_all":{}}"#,
        r#"{"term":{"city":"Hangzhou"}}"#,
        r#"{"terms":{"age":[1,2.5,true,"x"]}}"#,
        r#"{"range":{"age":{"gte":18,"lt":65.5}}}"#,
        r#"{"range":{"name":{"gt":"a","lte":"b"}}}"#,
        r#"{"prefix":{"name":"ab"}}"#,
        r#"{"exists":{"field":"a"}}"#,
        r#"{"bool":{"must":[{"match_all":{}}],"must_not":[{"exists":{"field":"a"}}],"filter":[],"should":[{"term":{"a":1}},{"term":{"b":-0.0}}],"minimum_should_match":1}}"#,
    ];
    queries
        .iter()
        .enumerate()
        .map(|(index, query)| (format!("query{index}"), query.as_bytes().to_vec()))
        .collect()
}
