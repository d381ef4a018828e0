//! Single calls: batches, values past their time, refusals.

use super::*;

#[tokio::test]
async fn an_atomic_batch_happens_as_a_whole_or_not_at_all() {
    let (place, _) = place();
    let table = place.name("atomic");
    let create = CreateTable::new(&table)
        .primary_key("g", PrimaryKeyType::String)
        .primary_key("i", PrimaryKeyType::Integer);
    place.client().send(create).await.unwrap();
    let key = |g: &str, i: i64| PrimaryKey::new().column("g", g).column("i", i);
    let batch = |keys: [(&str, i64); 2]| {
        let puts = keys.map(|(g, i)| RowChange::Put(OwnedRow::new(key(g, i)).cell("n", i)));
        let writes = TableWrites::new(&table).changes(puts);
        place
            .client()
            .send(BatchWriteRow::new().table(writes).atomic())
    };
    let exists = async |g, i| get(&place, &table, key(g, i)).await.is_some();
    // Rows of two partition keys can't be atomic.
    assert!(failed(batch([("a", 1), ("b", 1)]).await));
    assert!(!exists("a", 1).await && !exists("b", 1).await);
    assert!(!failed(batch([("a", 1), ("a", 2)]).await));
    assert!(exists("a", 1).await && exists("a", 2).await);
}

#[tokio::test]
async fn values_past_their_time_are_not_read() {
    let (place, clock) = place();
    let table = place.name("aging");
    let create = CreateTable::new(&table)
        .primary_key("id", PrimaryKeyType::Integer)
        .expire_after(Duration::from_secs(86_400));
    let client = place.client();
    client.send(create).await.unwrap();
    for id in 0..4 {
        let row = OwnedRow::new(key(id)).cell("n", id);
        client.send(PutRow::new(&table, row)).await.unwrap();
        clock.advance(Duration::from_secs(3_600));
    }
    // A value written again is young again.
    let update = RowUpdate::new(key(0)).put("n", 10);
    client.send(UpdateRow::new(&table, update)).await.unwrap();
    clock.advance(Duration::from_secs(86_400 - 2 * 3_600));
    let range = GetRange::new(&table, PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    let rows: Vec<OwnedRow> = range
        .columns(["n"])
        .rows(client)
        .try_collect()
        .await
        .unwrap();
    let keys: Vec<_> = rows.into_iter().map(|row| row.primary_key).collect();
    assert_eq!(keys, [key(0), key(3)]);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_once_and_never_shown() {
    let emulator = Emulator::default();
    let client = Client::builder("http://in-process")
        .instance("own")
        .credentials(Credentials::new(Emulator::ACCESS_KEY_ID, "not-the-secret"))
        .transport(InProcess::new(move |request| emulator.handle(request)))
        .build()
        .unwrap();
    let error = client.send(ListTable::new()).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::AuthFailed));
    assert_eq!(error.attempts(), 1);
    assert!(!format!("{error:?}{error}").contains("not-the-secret"));
}

async fn get(place: &Place, table: &str, key: PrimaryKey) -> Option<OwnedRow> {
    place
        .client()
        .send(GetRow::new(table, key))
        .await
        .unwrap()
        .into_inner()
        .row
}

/// Whether a batch failed, as a whole or in every row.
fn failed(outcome: Result<Reply<<BatchWriteRow as Request>::Output>, ots_core::Error>) -> bool {
    let Ok(results) = outcome else { return true };
    let mut rows = results.into_iter().flatten();
    let first = rows.next().unwrap().is_err();
    assert!(
        rows.all(|row| row.is_err() == first),
        "neither all nor none"
    );
    first
}

/// What the emulator doesn't do it refuses at once, in a way that a program can tell.
#[tokio::test]
async fn operations_that_the_emulator_lacks_are_refused_and_not_repeated() {
    use ots_core::request::{
        CommitTransaction, CreateIndex, DropIndex, SecondaryIndex, SqlQuery, StartLocalTransaction,
    };
    let (place, _) = place();
    let client = place.client();
    let table = place.numbered("lacking", 1).await;
    let index = SecondaryIndex::global("by_n", ["n"]);
    let errors = [
        client
            .send(CreateIndex::new(&table, index))
            .await
            .unwrap_err(),
        client
            .send(DropIndex::new(&table, "by_n"))
            .await
            .unwrap_err(),
        client
            .send(StartLocalTransaction::new(&table, "id", 1))
            .await
            .unwrap_err(),
        client
            .send(CommitTransaction::new("none"))
            .await
            .unwrap_err(),
        client.send(SqlQuery::new("SHOW TABLES")).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), Some(&ErrorCode::ParameterInvalid), "{error}");
        assert_eq!(error.attempts(), 1);
        assert!(
            error.to_string().contains("Unsupported operation"),
            "{error}"
        );
    }
}
