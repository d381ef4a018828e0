//! Writes everything that a query finds to standard output, as lines of CSV; what there is to say
//! about it goes to standard error.
//!
//! ```sh
//! cargo run -p ots-scan --example export_all > orders.csv
//! ```

use std::error::Error;
use std::io::{self, BufWriter, Write};

use futures::TryStreamExt as _;
use ots_core::request::{BatchWriteRow, CreateSearchIndex, CreateTable, TableWrites};
use ots_core::transport::InProcess;
use ots_core::{Client, Credentials, PrimaryKey, Query, Row, RowChange};
use ots_emulator::Emulator;
use ots_proto::messages::{FieldType, PrimaryKeyType};
use ots_scan::{ScanErrorKind, ScanPage, parallel_scan};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = client_with_orders().await?;
    let mut out = BufWriter::new(io::stdout().lock());
    writeln!(out, "id,city,price")?;

    let mut scan = parallel_scan(client, "orders", "orders_index")
        .query(Query::range("price").gte(5_000).into())
        .column_names(["city", "price"])
        .limit(500)
        .open()
        .await?;
    loop {
        match scan.try_next().await {
            Ok(Some(page)) => write_page(&mut out, &page)?,
            Ok(None) => break,
            Err(error) => {
                if let ScanErrorKind::SessionExpired { .. } = error.kind() {
                    // What was written is good, and the rest is gone. Whoever can take rows twice
                    // opens another scan here; whoever can't throws the file away first.
                    eprintln!("the file is not complete");
                }
                return Err(error.into());
            }
        }
    }
    out.flush()?;

    let progress = scan.progress();
    for split in &progress.splits {
        let (split, pages, rows) = (split.split, split.pages, split.rows);
        eprintln!("{split}: {rows} rows in {pages} pages");
    }
    eprintln!("{} rows, complete: {}", progress.rows(), progress.is_done());
    Ok(())
}

/// Rows are lent from the page: nothing is copied on the way to the file.
fn write_page(out: &mut impl Write, page: &ScanPage) -> Result<(), Box<dyn Error>> {
    let mut rows = page.reader();
    while let Some(row) = rows.next_row()? {
        for column in row.primary_key() {
            write!(out, "{}", column.value.to_owned())?;
        }
        for name in ["city", "price"] {
            match row.get(name) {
                Some(value) => write!(out, ",{value}")?,
                None => write!(out, ",")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// A Tablestore in this process with 10,000 orders, searched in four splits.
async fn client_with_orders() -> Result<Client, ots_core::Error> {
    let emulator = Emulator::builder().splits(4).build();
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
    let index = CreateSearchIndex::new("orders", "orders_index")
        .field("city", FieldType::Keyword)
        .field("price", FieldType::Long);
    client.send(index).await?;

    let order = |id: i64| {
        let row = Row::new(PrimaryKey::new().column("id", id));
        let city = if id % 3 == 0 { "Hangzhou" } else { "Shanghai" };
        RowChange::Put(row.cell("city", city).cell("price", id))
    };
    for first in (0..10_000).step_by(200) {
        let writes = TableWrites::new("orders").changes((first..first + 200).map(order));
        let results = client.send(BatchWriteRow::new().table(writes)).await?;
        for result in results.into_iter().flatten() {
            result?;
        }
    }
    Ok(client)
}
