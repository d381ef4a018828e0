//! Writes that happen only if the row is as expected.

use ots_core::filter::{ColumnFilter, Filter};
use ots_core::request::{
    Condition, DeleteRow, GetRow, PutRow, RowExistence, UpdateRow, WriteReply,
};
use ots_core::{Error, ErrorCode, Reply, Row, RowUpdate};

use super::{Place, key};

/// EXPECT_NOT_EXIST: the first put wins.
pub async fn a_row_that_must_not_be_there_is_not_overwritten(place: &Place) {
    let table = place.numbered("unique", 1).await;
    let client = place.client();
    let put = |n: i64| {
        let condition = Condition::row(RowExistence::ExpectNot);
        PutRow::new(&table, Row::new(key(1)).cell("n", n)).condition(condition)
    };
    client.send(put(1)).await.unwrap();
    check_failed(client.send(put(2)).await);
    assert_eq!(n(place, &table).await, Some(1));
}

/// EXPECT_EXIST: neither an update nor a put nor a delete makes a row.
pub async fn a_row_that_must_be_there_is_not_created(place: &Place) {
    let table = place.numbered("present", 1).await;
    let client = place.client();
    let expect = || Condition::row(RowExistence::Expect);
    let put = || PutRow::new(&table, Row::new(key(1)).cell("n", 1)).condition(expect());
    let update = || UpdateRow::new(&table, RowUpdate::new(key(1)).put("n", 2)).condition(expect());
    let delete = || DeleteRow::new(&table, key(1)).condition(expect());
    check_failed(client.send(put()).await);
    check_failed(client.send(update()).await);
    check_failed(client.send(delete()).await);
    assert_eq!(n(place, &table).await, None);

    let row = Row::new(key(1)).cell("n", 0);
    client.send(PutRow::new(&table, row)).await.unwrap();
    client.send(put()).await.unwrap();
    client.send(update()).await.unwrap();
    assert_eq!(n(place, &table).await, Some(2));
    client.send(delete()).await.unwrap();
    assert_eq!(n(place, &table).await, None);
}

/// A filter on a column lets a write through, or leaves the row as it is.
pub async fn a_condition_on_a_column_guards_every_write(place: &Place) {
    let table = place.numbered("guarded", 1).await;
    let client = place.client();
    let row = Row::new(key(1)).cell("n", 1).cell("state", "open");
    client.send(PutRow::new(&table, row)).await.unwrap();

    let state = || Filter::column("state");
    let closed = || Condition::expect_exist().columns(state().eq("closed").only_if_present());
    let put = PutRow::new(&table, Row::new(key(1)).cell("n", 7)).condition(closed());
    check_failed(client.send(put).await);
    let update = UpdateRow::new(&table, RowUpdate::new(key(1)).increment("n", 7));
    check_failed(client.send(update.condition(closed())).await);
    let delete = DeleteRow::new(&table, key(1)).condition(closed());
    check_failed(client.send(delete).await);
    assert_eq!(n(place, &table).await, Some(1));

    // A column that is missing fails the condition, or passes it: whichever was said.
    let missing = |row: i64, filter: ColumnFilter| {
        let update = UpdateRow::new(&table, RowUpdate::new(key(row)).put("n", 1));
        update.condition(Condition::row(RowExistence::Ignore).columns(filter))
    };
    for row in [1, 2] {
        let nowhere = Filter::column("nowhere").eq(1);
        let present = missing(row, nowhere.clone().only_if_present());
        check_failed(client.send(present).await);
        client.send(missing(row, nowhere)).await.unwrap();
    }

    let not_closed = Condition::expect_exist().columns(state().ne("closed"));
    let update = UpdateRow::new(&table, RowUpdate::new(key(1)).increment("n", 1));
    client.send(update.condition(not_closed)).await.unwrap();
    assert_eq!(n(place, &table).await, Some(2));
}

#[track_caller]
fn check_failed(outcome: Result<Reply<WriteReply>, Error>) {
    let error = outcome.unwrap_err();
    assert_eq!(
        error.code(),
        Some(&ErrorCode::ConditionCheckFail),
        "{error}"
    );
    assert_eq!(error.as_service().unwrap().status.as_u16(), 403);
    assert_eq!(error.attempts(), 1, "asking again gives the same answer");
}

async fn n(place: &Place, table: &str) -> Option<i64> {
    let reply = place.client().send(GetRow::new(table, key(1))).await;
    reply.unwrap().row.as_ref()?.get("n")?.as_integer()
}
