//! Pages of a search over a service in this process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod support;

use ots_core::Query;
use ots_core::request::{CreateSearchIndex, Search};
use ots_emulator::Settings;
use ots_paging::{ErrorKind, SearchExt as _};
use ots_proto::search::{FieldSchema, FieldType, TotalCount};
use ots_proto::{PrimaryKey, Row};

use support::emulated::{self, TABLE, block_on};

const INDEX: &str = "by_city";

#[test]
fn all_matches_come_although_they_are_counted_no_further_than_a_page() {
    let client = emulated::client(Settings::default());
    let rows = (0..35).map(|id| Row::new(PrimaryKey::new().column("id", id)).cell("n", id));
    emulated::load(&client, &rows.collect::<Vec<_>>(), 1);
    // With a NESTED field there are no tokens.
    let part = FieldSchema::new("name", FieldType::Keyword).index(true);
    let index = CreateSearchIndex::new(TABLE, INDEX)
        .field("n", FieldType::Long)
        .field_schema(FieldSchema::nested("parts", [part]));
    block_on(client.send(index)).unwrap();

    for collapses in [false, true] {
        for (window, read) in [(100, 35), (35, 35), (20, 20)] {
            let search = Search::new(TABLE, INDEX, Query::MatchAll).total(TotalCount::UpTo(5));
            let search = if collapses {
                search.collapse("n")
            } else {
                search
            };
            let pager = search.pager(&client, 5.try_into().unwrap());
            let mut pager = pager.unwrap().window(window);
            let mut all = 0;
            let error = loop {
                match block_on(pager.next_page()) {
                    Ok(Some(page)) => all += page.reply.rows().unwrap().len(),
                    Ok(None) => break None,
                    Err(error) => break Some(error.kind()),
                }
            };
            let missing = if collapses {
                ErrorKind::SearchWindow
            } else {
                ErrorKind::SearchToken
            };
            assert_eq!((all, error), (read, (read < 35).then_some(missing)));
        }
    }
}
