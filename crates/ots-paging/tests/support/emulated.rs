//! A service in this process, and what it says its answers cost.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use ots_core::request::{BatchWriteRow, CreateTable, GetRange, Request as _, TableWrites};
use ots_core::transport::InProcess;
use ots_core::{Call, Client, Credentials, Error, Reply, RowChange};
use ots_emulator::{Emulator, ManualClock, Settings};
use ots_proto::messages::{GetRangeRequest, GetRangeResponse, PrimaryKeyType};
use ots_proto::plainbuffer::{Accept, Reader};
use ots_proto::{NameCache, PrimaryKey, PrimaryKeyValue, Row, operation};

pub const TABLE: &str = "orders";

thread_local! {
    /// A client has timers; its pauses take no time here.
    static RUNTIME: tokio::runtime::Runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// When it is in the emulator, for ever.
pub const NOW_MS: i64 = 1_700_000_000_000;

pub fn emulator(settings: Settings) -> Emulator {
    let clock = Arc::new(ManualClock::at_ms(NOW_MS));
    Emulator::builder()
        .settings(settings)
        .clock(clock)
        .seed(1)
        .build()
}

/// A client of an emulator with these settings.
pub fn client(settings: Settings) -> Client {
    client_of(emulator(settings))
}

pub fn client_of(emulator: Emulator) -> Client {
    let (id, secret) = (Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET);
    Client::builder("http://embedded")
        .instance("paging")
        .credentials(Credentials::new(id, secret))
        .transport(InProcess::new(move |request| emulator.handle(request)))
        .build()
        .unwrap()
}

/// Creates the table of these rows, which have a key of one shape, and writes them.
pub fn load(client: &Client, rows: &[Row], versions: u32) {
    let columns = rows[0].primary_key.columns().iter();
    let create = columns.fold(CreateTable::new(TABLE), |create, column| {
        let kind = match column.value {
            PrimaryKeyValue::String(_) => PrimaryKeyType::String,
            PrimaryKeyValue::Binary(_) => PrimaryKeyType::Binary,
            _ => PrimaryKeyType::Integer,
        };
        create.primary_key(column.name.to_string(), kind)
    });
    block_on(client.send(create.max_versions(versions))).unwrap();
    write(client, rows);
}

pub fn write(client: &Client, rows: &[Row]) {
    for rows in rows.chunks(100) {
        let puts = rows.iter().cloned().map(RowChange::Put);
        let batch = BatchWriteRow::new().table(TableWrites::new(TABLE).changes(puts));
        for result in block_on(client.send(batch))
            .unwrap()
            .into_inner()
            .into_iter()
            .flatten()
        {
            result.unwrap();
        }
    }
}

/// All of the table.
pub fn whole(names: &[&str]) -> GetRange {
    let names = || names.iter().copied();
    GetRange::new(TABLE, PrimaryKey::min(names()), PrimaryKey::max(names()))
}

/// What some answers cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub requests: u64,
    pub units: u64,
    pub bytes: u64,
}

/// A call whose answers are added up.
pub struct Meter<'c> {
    client: &'c Client,
    cost: Mutex<Cost>,
}

impl<'c> Meter<'c> {
    pub fn new(client: &'c Client) -> Self {
        let cost = Mutex::default();
        Self { client, cost }
    }

    /// What came since the last time.
    pub fn take(&self) -> Cost {
        std::mem::take(&mut *self.cost.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Call<operation::GetRange> for Meter<'_> {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        let reply = Call::<operation::GetRange>::call(self.client, request).await?;
        let mut cost = self.cost.lock().unwrap_or_else(PoisonError::into_inner);
        cost.requests += 1;
        let units = reply
            .response
            .consumed
            .capacity_unit
            .read
            .unwrap_or_default();
        cost.units += u64::try_from(units).unwrap();
        // Without the header.
        cost.bytes += reply.response.rows.len().saturating_sub(4) as u64;
        drop(cost);
        Ok(reply)
    }
}

/// One page of the documentation's sample, `readByPage`, line by line. Of the rows only their keys are
/// given back.
pub fn read_by_page(
    call: &Meter<'_>,
    range: &GetRange,
    offset: usize,
    page_rows: usize,
) -> Vec<PrimaryKey> {
    let mut keys = Vec::new();
    let mut limit = page_rows;
    let mut skip = offset;
    let mut request = range.clone().into_message().unwrap();
    while limit > 0 {
        request.limit = Some(i32::try_from(skip + limit).unwrap());
        let response = Call::<operation::GetRange>::call(call, request.clone());
        let response = block_on(response).unwrap().response;
        if !response.rows.is_empty() {
            let mut reader = Reader::new(&response.rows, Accept::Rows).unwrap();
            while let Some(row) = reader.next_row().unwrap() {
                if skip > 0 {
                    skip -= 1;
                } else {
                    keys.push(row.to_primary_key(&mut NameCache::default()));
                    limit -= 1;
                }
            }
        }
        let Some(next) = response.next_start_primary_key else {
            break;
        };
        request.inclusive_start_primary_key = next;
    }
    keys
}
