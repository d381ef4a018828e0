//! Tables that are there before the first step, made by our own client.

use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json, json};

use super::file::{ManyRows, RowSetup, TableSetup};
use super::known::Known;
use crate::sdk::{OwnClient, Said, Sdk as _};

/// How many rows a request may write.
const BATCH_ROWS: usize = 200;
/// How long a real instance may take for a table or an index.
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(500);

/// Makes a table with its rows and indexes, and teaches its name.
pub(super) async fn make(
    own: &mut OwnClient,
    setup: &TableSetup,
    known: &mut Known,
) -> Result<(), String> {
    let table = known.fill(&json!(format!("${{{}}}", setup.name)))?;
    known.learn(&setup.name, table.clone());
    let mut create = known.fill_object(&setup.options)?;
    create.insert("do".to_owned(), json!("create_table"));
    create.insert("table".to_owned(), table.clone());
    create.insert("key".to_owned(), json!(setup.key));
    create.insert("max_versions".to_owned(), json!(setup.max_versions));
    ask(own, Json::Object(create)).await?;
    wait_for_table(own, &table, setup).await?;

    let mut rows = Vec::new();
    for row in &setup.rows {
        match row {
            RowSetup::One(key, columns) => rows.push(put(setup, key, columns, known)?),
            RowSetup::Many(many) => rows.extend(many_rows(setup, many, known)?),
        }
    }
    for rows in rows.chunks(BATCH_ROWS) {
        let write = json!({ "do": "batch_write", "tables": [{ "table": table, "rows": rows }] });
        let answer = ask(own, write).await?;
        if let Some(error) = find_error(&answer) {
            return Err(format!("a row of {} is not written: {error}", setup.name));
        }
    }
    for index in &setup.indexes {
        make_index(own, &table, index, known, rows.len()).await?;
    }
    Ok(())
}

async fn make_index(
    own: &mut OwnClient,
    table: &Json,
    index: &Map<String, Json>,
    known: &Known,
    rows: usize,
) -> Result<(), String> {
    let mut create = known.fill_object(index)?;
    let name = create.get("index").cloned().unwrap_or_default();
    create.insert("do".to_owned(), json!("create_index"));
    create.insert("table".to_owned(), table.clone());
    if let Some(fields) = create.get_mut("fields") {
        set_flags(fields);
    }
    ask(own, Json::Object(create)).await?;
    let deadline = Instant::now() + PATIENCE;
    let count = json!({
        "do": "search", "table": table, "index": name, "query": { "match_all": {} },
        "limit": 0, "count_all": true,
    });
    loop {
        let answer = ask(own, count.clone()).await;
        let total = answer.as_ref().ok().and_then(|answer| answer.get("total"));
        let total = total.and_then(Json::as_u64);
        if total == u64::try_from(rows).ok() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(format!("the index {name} never had all rows: {answer:?}"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Says what an unset flag would mean for a field, as the service's own examples do.
fn set_flags(fields: &mut Json) {
    for field in fields.as_array_mut().into_iter().flatten() {
        let Json::Object(field) = field else { continue };
        let kind = field.get("type").and_then(Json::as_str).unwrap_or_default();
        let (is_container, is_sortable) = match kind {
            "nested" | "json" | "vector" => (true, false),
            "text" | "fuzzy_keyword" => (false, false),
            _ => (false, true),
        };
        let is_stored = !is_container && !field.contains_key("virtual_of");
        let flags = [
            ("index", !is_container),
            ("sort_and_agg", is_sortable),
            ("store", is_stored),
        ];
        for (flag, _) in flags.into_iter().filter(|(_, is_set)| *is_set) {
            field.entry(flag).or_insert(Json::Bool(true));
        }
        if let Some(fields) = field.get_mut("fields") {
            set_flags(fields);
        }
    }
}

/// A new table of the real service takes a while; the emulator's is there at once.
async fn wait_for_table(
    own: &mut OwnClient,
    table: &Json,
    setup: &TableSetup,
) -> Result<(), String> {
    let key = setup.key.iter().map(|column| {
        let zero = match column.get(1).map(String::as_str) {
            Some("integer") => json!(0),
            Some("binary") => json!({ "hex": "" }),
            _ => json!(""),
        };
        json!([column.first(), zero])
    });
    let get = json!({ "do": "get_row", "table": table, "key": key.collect::<Json>() });
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask(own, get.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() >= deadline => return Err(error),
            Err(error) if error.contains("OTSTableNotReady") => {}
            Err(error) if error.contains("OTSObjectNotExist") => {}
            Err(error) => return Err(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn many_rows(setup: &TableSetup, many: &ManyRows, known: &Known) -> Result<Vec<Json>, String> {
    let (first, end) = many.numbers;
    let mut known = known.clone();
    let rows = (first..end).map(|number| {
        known.learn("i", number);
        put(setup, &many.key, &many.columns, &known)
    });
    rows.collect()
}

fn put(
    setup: &TableSetup,
    key: &Json,
    columns: &Map<String, Json>,
    known: &Known,
) -> Result<Json, String> {
    let columns = known.fill_object(columns)?.into_iter();
    let columns: Json = columns.map(|(name, value)| json!([name, value])).collect();
    let key = named_key(setup, &known.fill(key)?);
    Ok(json!({ "put": { "key": key, "columns": columns } }))
}

/// A key with the names of the table's key columns, where it is given by its values alone.
pub(super) fn named_key(setup: &TableSetup, key: &Json) -> Json {
    let values = match key {
        Json::Array(columns) if columns.iter().any(Json::is_array) => return key.clone(),
        Json::Array(values) => values.as_slice(),
        only => std::slice::from_ref(only),
    };
    let names = setup.key.iter().filter_map(|column| column.first());
    let pairs = names.zip(values).map(|(name, value)| json!([name, value]));
    pairs.collect()
}

/// Removes every table whose name begins with a prefix, its indexes first.
pub(super) async fn remove(own: &mut OwnClient, prefix: &str) -> Result<(), String> {
    let tables = ask(own, json!({ "do": "list_tables" })).await?;
    let ours = list(&tables, "tables")
        .filter(|table| table.as_str().is_some_and(|name| name.starts_with(prefix)));
    for table in ours {
        let indexes = ask(own, json!({ "do": "list_indexes", "table": table })).await?;
        for index in list(&indexes, "indexes") {
            let delete = json!({ "do": "delete_index", "table": table, "index": index });
            ask(own, delete).await?;
        }
        ask(own, json!({ "do": "delete_table", "table": table })).await?;
    }
    Ok(())
}

async fn ask(own: &mut OwnClient, request: Json) -> Result<Json, String> {
    let said = own.ask(&request).await.map_err(|e| e.to_string())?;
    match said {
        Said::Answer(answer) => Ok(answer),
        other => Err(format!("setting up: {other:?} for {request:.400}")),
    }
}

fn list<'a>(answer: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
    answer
        .get(name)
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
}

/// The error of a row, wherever it is in an answer.
fn find_error(answer: &Json) -> Option<&Json> {
    match answer {
        Json::Array(items) => items.iter().find_map(find_error),
        Json::Object(object) => match object.get("error") {
            Some(error) => Some(error),
            None => object.values().find_map(find_error),
        },
        _ => None,
    }
}
