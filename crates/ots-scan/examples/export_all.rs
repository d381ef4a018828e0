//! Writes everything that a query finds to standard output, as lines of CSV; what there is to say
//! about it goes to standard error.
//!
//! ```sh
//! cargo run -p ots-scan --example export_all > orders.csv
//! ```

use std::error::Error;
use std::io::{self, BufWriter, Write};

use futures::TryStreamExt as _;
use ots_core::Query;
use ots_emulator::Emulator;
use ots_scan::{ScanErrorKind, ScanPage, parallel_scan};

#[path = "support/orders.rs"]
mod orders;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = Emulator::builder().splits(4).build();
    let client = orders::client_with_orders(service).await?;
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
