//! Structs into a table and out of it again: one by one, and as a range.
//!
//! ```sh
//! cargo run -p ots-paging --example typed_rows
//! ```

use ots_core::request::{BatchWriteRow, CreateTable, GetRange, GetRow, TableWrites};
use ots_core::transport::InProcess;
use ots_core::{Client, Credentials, RowChange};
use ots_emulator::Emulator;
use ots_paging::RangeExt as _;
use ots_proto::messages::PrimaryKeyType;
use ots_proto::typed::KeyColumns as _;
use ots_proto::{FromRow, IntoPrimaryKey as _, IntoRow, PrimaryKey};

#[derive(Clone, Debug, PrimaryKey)]
struct OrderId {
    customer: String,
    number: u32,
}

#[derive(Clone, Debug, FromRow, IntoRow)]
struct Order {
    #[ots(primary_key(flatten))]
    id: OrderId,
    price_cents: u32,
    note: Option<String>,
}

/// The same rows, for who wants a sum: only two columns, and the name lies in the page.
#[derive(FromRow)]
struct Price<'page> {
    #[ots(primary_key)]
    customer: &'page str,
    price_cents: u64,
}

fn order(customer: &str, number: u32, price_cents: u32) -> Order {
    Order {
        id: OrderId {
            customer: customer.to_owned(),
            number,
        },
        price_cents,
        note: (number == 2).then(|| "as a gift".to_owned()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = client_with_table().await?;

    let orders = [
        order("李雷", 1, 1_250),
        order("李雷", 2, 300),
        order("韩梅梅", 1, 9_900),
    ];
    let rows = orders.into_iter().map(IntoRow::into_row);
    let puts: Vec<RowChange> = rows
        .map(|row| row.map(RowChange::Put))
        .collect::<Result<_, _>>()?;
    let batch = BatchWriteRow::new().table(TableWrites::new("orders").changes(puts));
    for result in client.send(batch).await?.into_iter().flatten() {
        result?;
    }

    let id = OrderId {
        customer: "李雷".to_owned(),
        number: 2,
    };
    let reply = client
        .send(GetRow::new("orders", id.into_primary_key()?))
        .await?;
    if let Some(row) = &reply.row {
        println!("{:?}", row.parse::<Order>()?);
    }

    let range = GetRange::new("orders", OrderId::min_key(), OrderId::max_key())
        .columns(Price::COLUMNS.iter().copied());
    let mut pages = range.pages(&client);
    while let Some(page) = pages.next().await {
        for price in page?.reader()?.typed::<Price<'_>>() {
            let Price {
                customer,
                price_cents,
            } = price?;
            println!("{customer}: {price_cents} cents");
        }
    }
    Ok(())
}

/// A Tablestore in this process with an empty table.
async fn client_with_table() -> Result<Client, ots_core::Error> {
    let emulator = Emulator::default();
    let client = Client::builder("http://embedded")
        .instance("example")
        .credentials(Credentials::new(
            Emulator::ACCESS_KEY_ID,
            Emulator::ACCESS_KEY_SECRET,
        ))
        .transport(InProcess::new(move |request| emulator.handle(request)))
        .build()?;
    let table = CreateTable::new("orders")
        .primary_key("customer", PrimaryKeyType::String)
        .primary_key("number", PrimaryKeyType::Integer);
    client.send(table).await?;
    Ok(client)
}
