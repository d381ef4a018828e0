//! Reads a range page by page and keeps its place as bytes, as a program does that shows a page and
//! ends: the next run goes on where this one was.
//!
//! ```sh
//! cargo run -p ots-paging --example page_through
//! ```

use ots_core::request::{BatchWriteRow, CreateTable, GetRange, TableWrites};
use ots_core::transport::InProcess;
use ots_core::{Client, Credentials, PrimaryKey, Row, RowChange};
use ots_emulator::Emulator;
use ots_paging::{RangeExt as _, ResumePoint};
use ots_proto::messages::PrimaryKeyType;

/// What every run asks for. The place is bound to it: another range would be refused.
fn orders() -> GetRange {
    let (start, end) = (PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    GetRange::new("orders", start, end)
        .columns(["price"])
        .limit(10)
}

/// Shows one page. Gives back the place after it, or nothing at the end.
async fn show_page(
    client: &Client,
    place: Option<&[u8]>,
) -> Result<Option<Vec<u8>>, ots_paging::Error> {
    let cursor = match place {
        Some(place) => orders().resume(&ResumePoint::from_bytes(place)?)?,
        None => orders().cursor()?,
    };
    let mut pages = cursor.pages(client);
    let Some(page) = pages.next().await else {
        return Ok(None);
    };
    let page = page?;

    // The rows are lent from the buffer of the response: nothing is copied.
    let (mut rows, mut total) = (0, 0);
    let mut reader = page.reader()?;
    while let Some(row) = reader.next_row()? {
        rows += 1;
        if let Some(ots_proto::ColumnValueRef::Integer(price)) = row.get("price") {
            total += price;
        }
    }
    println!("from {}: {rows} orders, {total} in all", page.start());
    Ok((!page.next().is_done()).then(|| page.resume_point().to_bytes()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = client_with_orders().await?;
    let mut place = None;
    loop {
        // Between two pages the bytes could lie in a file, a cookie, a queue.
        place = show_page(&client, place.as_deref()).await?;
        match &place {
            Some(bytes) => println!("  {} bytes say where to go on", bytes.len()),
            None => break,
        }
    }
    Ok(())
}

/// A Tablestore in this process with 35 orders.
async fn client_with_orders() -> Result<Client, ots_core::Error> {
    let emulator = Emulator::default();
    let client = Client::builder("http://embedded")
        .instance("example")
        .credentials(Credentials::new(
            Emulator::ACCESS_KEY_ID,
            Emulator::ACCESS_KEY_SECRET,
        ))
        .transport(InProcess::new(move |request| emulator.handle(request)))
        .build()?;
    let table = CreateTable::new("orders").primary_key("id", PrimaryKeyType::Integer);
    client.send(table).await?;
    let orders = (0..35_i64).map(|id| {
        let row = Row::new(PrimaryKey::new().column("id", id));
        RowChange::Put(row.cell("price", id * 10).cell("city", "Hangzhou"))
    });
    let batch = BatchWriteRow::new().table(TableWrites::new("orders").changes(orders));
    for result in client.send(batch).await?.into_iter().flatten() {
        result?;
    }
    Ok(client)
}
