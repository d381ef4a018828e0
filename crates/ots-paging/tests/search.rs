//! The pages of a search against a list, over an index that cuts and misleads as the service does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::future::Future as _;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::executor::block_on;
use futures::stream::FusedStream as _;
use ots_core::request::{Columns, Search};
use ots_core::{Call, Error, Query, Reply};
use ots_paging::{ErrorKind, PageTokens, SearchExt as _, SearchPager, SearchRows};
use ots_proto::messages::{ColumnReturnType, SearchRequest, SearchResponse};
use ots_proto::operation;
use ots_proto::plainbuffer::write_row;
use ots_proto::search::{FieldSort, SearchQuery, TotalCount};
use ots_proto::{PrimaryKey, Row};
use proptest::prelude::*;

/// Rows numbered from zero, all of which match.
#[derive(Debug, Default)]
struct FakeIndex {
    rows: u64,
    window: u64,
    /// As an index with NESTED fields: tokens only for a search with a sort.
    nested: bool,
    /// Every so many requests by token, a page without rows.
    empty_every: usize,
    /// From this request on, a part of the index doesn't answer.
    partial_from: Option<usize>,
    /// As often in a row a page without rows gives the token that it was asked for with.
    stands_still: usize,
    /// Every so many of the first hundred requests, no answer: where going on takes more requests than
    /// that, it would never end.
    busy_every: usize,
    /// Rows that come damaged, the first so many times that they come.
    damaged: Mutex<BTreeMap<u64, usize>>,
    /// The most rows that it gives at once, without saying so.
    most_rows: Option<u64>,
    /// From this request on, a row was written before all others.
    written_from: Option<usize>,
    requests: Mutex<Vec<(SearchQuery, bool)>>,
}

impl Call<operation::Search> for FakeIndex {
    async fn call(&self, request: SearchRequest) -> Result<Reply<SearchResponse>, Error> {
        let query = SearchQuery::from_bytes(&request.search_query.unwrap()).unwrap();
        let columns = request.columns_to_get.unwrap().return_type();
        let keys_only = columns == ColumnReturnType::None;
        let number = {
            let mut requests = self.requests.lock().unwrap();
            requests.push((query.clone(), keys_only));
            requests.len()
        };
        // As over a network, the answer isn't there at once.
        tokio::task::yield_now().await;
        if self.busy_every > 0 && number <= 100 && number % self.busy_every == 0 {
            return Err(Error::request("busy"));
        }
        let limit = u64::from(query.limit.unwrap());
        assert!(limit <= 1_000);
        let (start, sorted) = match &query.token {
            Some(token) => {
                assert!(query.sort.is_none() && query.offset.is_none());
                let (row, sorted) = token.split_at(8);
                (
                    u64::from_be_bytes(row.try_into().unwrap()),
                    sorted.starts_with(&[1]),
                )
            }
            None => {
                let offset = u64::from(query.offset.unwrap_or_default());
                if offset + limit > self.window {
                    return Err(Error::request("beyond the window"));
                }
                (offset, query.sort.is_some())
            }
        };
        let is_empty =
            self.empty_every > 0 && query.token.is_some() && number % self.empty_every == 0;
        let end = if is_empty {
            start
        } else {
            let most = self.most_rows.unwrap_or(u64::MAX);
            (start + limit.min(most)).min(self.rows)
        };
        let written = u64::from(self.written_from.is_some_and(|from| number >= from));
        let rows = (start..end).map(|row| {
            let id = i64::try_from(row).unwrap() - i64::try_from(written).unwrap();
            let row_bytes = write_row(&Row::new(PrimaryKey::new().column("id", id)));
            match self.damaged.lock().unwrap().get_mut(&row) {
                Some(times) if *times > 0 && !keys_only => {
                    *times -= 1;
                    let mut damaged = row_bytes.to_vec();
                    *damaged.last_mut().unwrap() ^= 1;
                    damaged.into()
                }
                _ => row_bytes,
            }
        });
        let rows: Vec<Bytes> = rows.collect();
        let asked = |request: &&(SearchQuery, bool)| request.0.token == query.token;
        let times = self.requests.lock().unwrap().iter().filter(asked).count();
        if query.token.is_some() && times <= self.stands_still {
            return Ok(Reply::new(SearchResponse {
                total_hits: Some(-1),
                is_all_succeeded: Some(true),
                next_token: query.token,
                ..SearchResponse::default()
            }));
        }
        // A token for every page, or the same request would come for ever.
        let token = [
            &end.to_be_bytes()[..],
            &[u8::from(sorted)],
            &number.to_be_bytes(),
        ];
        let has_token = end < self.rows && (sorted || !self.nested);
        let count = match query.total {
            Some(TotalCount::Flag(true) | TotalCount::Exact) => Some(self.rows),
            // It stops counting there.
            Some(TotalCount::UpTo(most)) => Some(self.rows.min(u64::from(most))),
            _ => None,
        };
        Ok(Reply::new(SearchResponse {
            total_hits: Some(count.map_or(-1, |rows| i64::try_from(rows).unwrap())),
            rows,
            is_all_succeeded: Some(self.partial_from.is_none_or(|from| number < from)),
            next_token: has_token.then(|| Bytes::from(token.concat())),
            ..SearchResponse::default()
        }))
    }
}

/// How the matches may be counted, and how far.
fn count() -> impl Strategy<Value = TotalCount> {
    prop_oneof![
        Just(TotalCount::None),
        Just(TotalCount::Exact),
        Just(TotalCount::Flag(true)),
        (0_u32..150).prop_map(TotalCount::UpTo),
    ]
}

/// Whether all of so many matches are counted.
fn is_counted(rows: u64, count: TotalCount) -> bool {
    match count {
        TotalCount::UpTo(most) => rows < u64::from(most),
        count => matches!(count, TotalCount::Exact | TotalCount::Flag(true)),
    }
}

fn search() -> Search {
    Search::new("orders", "by_city", Query::MatchAll).columns(Columns::AllFromIndex)
}

fn id(row: &Row) -> u64 {
    let id = row.primary_key.get("id").unwrap().as_integer();
    u64::try_from(id.unwrap()).unwrap()
}

fn ids(page: &ots_paging::SearchPage) -> Vec<u64> {
    page.reply.rows().unwrap().iter().map(id).collect()
}

fn rest(pager: &mut SearchPager<&FakeIndex>) -> Result<Vec<u64>, ots_paging::Error> {
    let mut all = Vec::new();
    while let Some(page) = block_on(pager.next_page())? {
        assert_eq!(
            page.offset,
            all.first()
                .map_or(page.offset, |first| first + all.len() as u64)
        );
        all.extend(ids(&page));
    }
    Ok(all)
}

proptest! {
    #[test]
    fn pages_are_the_matches_from_any_row(
        rows in 0_u64..120, window in 1_u64..60, page in 1_u32..20, seeks in prop::collection::vec(0_u64..140, 0..4),
        nested in any::<bool>(), sorted in any::<bool>(), empty_every in prop_oneof![Just(0_usize), 2_usize..4], count in count(),
    ) {
        let index = FakeIndex { rows, window, nested: nested && sorted, empty_every, ..FakeIndex::default() };
        let mut search = search().total(count);
        if sorted {
            search = search.sort(FieldSort::asc("price"));
        }
        let mut pager = search.pager(&index, page.try_into().unwrap()).unwrap().window(window);
        prop_assert_eq!(rest(&mut pager).unwrap(), (0..rows).collect::<Vec<_>>());
        for row in seeks {
            pager.seek(row);
            prop_assert_eq!(rest(&mut pager).unwrap(), (row..rows).collect::<Vec<_>>());
        }
        // No bound is taken for the total, and nothing is counted twice. All may have been counted at the end
        // of the window.
        let total = pager.total();
        prop_assert!(total == Some(rows) || total.is_none() && !is_counted(rows, count));
        prop_assert_eq!(pager.total_pages(), total.map(|total| total.div_ceil(u64::from(page))));
        if count != TotalCount::None {
            let counted = |(query, _): &&(SearchQuery, bool)| query.total == Some(count) && query.limit != Some(0);
            prop_assert_eq!(index.requests.lock().unwrap().iter().filter(counted).count(), 1);
        }
    }

    #[test]
    fn rows_are_the_matches_whatever_the_pages(
        rows in 0_u64..350, limit in prop::option::of(1_u32..50), sorted in any::<bool>(), empty_every in prop_oneof![Just(0_usize), 2_usize..4],
    ) {
        let index = FakeIndex { rows, window: 10_000, empty_every, ..FakeIndex::default() };
        let mut search = search().count_all();
        if sorted {
            search = search.sort(FieldSort::asc("price"));
        }
        if let Some(limit) = limit {
            search = search.limit(limit);
        }
        let mut found = search.search_rows(&index).unwrap();
        let mut ids = Vec::new();
        while let Some(row) = block_on(found.next()) {
            let id = row.unwrap().primary_key.get("id").unwrap().as_integer().unwrap();
            ids.push(u64::try_from(id).unwrap());
        }
        prop_assert_eq!(&ids, &(0..rows).collect::<Vec<_>>());
        prop_assert!(found.is_terminated() && block_on(found.next()).is_none());
        prop_assert_eq!((found.delivered(), found.total()), (rows, Some(rows)));
        prop_assert_eq!(found.requests(), index.requests.lock().unwrap().len() as u64);
    }

    #[test]
    fn rows_go_on_from_any_row_in_another_process(
        rows in 0_u64..200, window in 1_u64..60, limit in 1_u32..30, taken in 0_u64..220,
        nested in any::<bool>(), busy_every in prop_oneof![Just(0_usize), 2_usize..5],
        empty_every in prop_oneof![Just(0_usize), 2_usize..4],
    ) {
        let index = FakeIndex { rows, window, nested, busy_every, empty_every, ..FakeIndex::default() };
        let search = || search().sort(FieldSort::asc("price"));
        let pager = || search().pager(&index, limit.try_into().unwrap()).unwrap().window(window);
        let tokens = PageTokens::plain();
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        // Stopped once after so many rows, and whenever a call fails.
        let mut left = Some(taken);
        loop {
            let mut pager = pager();
            if let Some(token) = &token {
                pager = pager.resume(&tokens.read_search(token).unwrap()).unwrap();
            }
            let mut found = SearchRows::new(pager);
            let ended = loop {
                if left == Some(0) {
                    left = None;
                    break false;
                }
                match block_on(found.next()) {
                    Some(Ok(row)) => all.push(id(&row)),
                    Some(Err(_)) => break false,
                    None => break true,
                }
                left = left.map(|left| left - 1);
            };
            prop_assert_eq!(found.resume_point().row(), all.len() as u64);
            token = Some(tokens.write_search(&found.resume_point()));
            if ended {
                break;
            }
        }
        prop_assert_eq!(&all, &(0..rows).collect::<Vec<_>>());
        // Behind the end there is nothing, in another process too.
        let point = tokens.read_search(&token.unwrap()).unwrap();
        let requests = index.requests.lock().unwrap().len();
        prop_assert!(block_on(pager().resume(&point).unwrap().next_page()).unwrap().is_none());
        prop_assert_eq!(index.requests.lock().unwrap().len(), requests);
    }

    #[test]
    fn a_page_that_comes_damaged_is_asked_for_again_and_every_row_comes_once(
        rows in 0_u64..200, window in 1_u64..60, page in 1_u32..30, sorted in any::<bool>(),
        damaged in prop::collection::btree_map(0_u64..200, 1_usize..=2, 0..6),
        busy_every in prop_oneof![Just(0_usize), 2_usize..5], empty_every in prop_oneof![Just(0_usize), 2_usize..4],
        take in prop::option::of(0_u64..220), drops in prop::collection::vec(any::<bool>(), 1..20),
    ) {
        // Of each page one row at most, so that asking again twice is enough.
        let damaged: BTreeMap<_, _> = damaged.into_iter().map(|(row, times)| (row - row % 61, times)).collect();
        let index = FakeIndex { rows, window, busy_every, empty_every, damaged: Mutex::new(damaged), ..FakeIndex::default() };
        let search = || if sorted { search().sort(FieldSort::asc("price")) } else { search() };
        let pager = || search().pager(&index, page.try_into().unwrap()).unwrap().window(window);
        let wanted = rows.min(take.unwrap_or(u64::MAX));
        let mut context = Context::from_waker(Waker::noop());
        let mut drops = drops.into_iter().chain(std::iter::repeat(false));
        let mut all = Vec::new();
        let mut point = None;
        // Gone on with, whenever a call fails.
        loop {
            let mut pager = pager();
            if let Some(point) = &point {
                pager = pager.resume(point).unwrap();
            }
            if let Some(take) = take {
                pager = pager.take_rows(take - all.len() as u64);
            }
            let mut found = SearchRows::new(pager);
            let ended = loop {
                let row = {
                    let mut next = pin!(found.next());
                    loop {
                        match next.as_mut().poll(&mut context) {
                            Poll::Ready(row) => break Some(row),
                            Poll::Pending if drops.next().unwrap() => break None,
                            Poll::Pending => {}
                        }
                    }
                };
                prop_assert_eq!(found.resume_point().row(), all.len() as u64 + u64::from(matches!(row, Some(Some(Ok(_))))));
                match row {
                    None => {}
                    Some(Some(Ok(row))) => all.push(id(&row)),
                    Some(Some(Err(error))) => {
                        prop_assert_eq!(error.kind(), ErrorKind::Call);
                        break false;
                    }
                    Some(None) => break true,
                }
            };
            prop_assert!(found.is_terminated() && block_on(found.next()).is_none());
            if ended {
                break;
            }
            point = Some(found.resume_point());
        }
        prop_assert_eq!(&all, &(0..wanted).collect::<Vec<_>>());
        let damaged = index.damaged.lock().unwrap();
        prop_assert!(damaged.range(..wanted).all(|(_, times)| *times == 0));
    }

    #[test]
    fn a_row_that_stays_damaged_ends_the_rows_behind_all_before_it(
        rows in 1_u64..120, window in 1_u64..60, page in 1_u32..30, at in 0_u64..120, sorted in any::<bool>(),
    ) {
        let at = at % rows;
        let damaged = Mutex::new(BTreeMap::from([(at, 3)]));
        let index = FakeIndex { rows, window, damaged, ..FakeIndex::default() };
        let search = || if sorted { search().sort(FieldSort::asc("price")) } else { search() };
        let pager = || search().pager(&index, page.try_into().unwrap()).unwrap().window(window);
        let mut found = SearchRows::new(pager());
        let mut all: Vec<u64> = Vec::new();
        let error = loop {
            match block_on(found.next()).unwrap() {
                Ok(row) => all.push(id(&row)),
                Err(error) => break error,
            }
        };
        prop_assert_eq!(&all, &(0..at).collect::<Vec<_>>());
        prop_assert_eq!((error.kind(), error.rows(), found.delivered()), (ErrorKind::Rows, Some(at), at));
        let place = format!("index \"by_city\", from row {at}, after {at} row");
        prop_assert!(error.to_string().contains(&place), "{}", error);
        prop_assert!(error.as_plain_buffer().unwrap().row().unwrap() < page as usize);
        prop_assert!(found.is_terminated() && block_on(found.next()).is_none());
        // It was asked for three times in all; once it comes whole, the rows go on exactly there.
        prop_assert_eq!(index.damaged.lock().unwrap()[&at], 0);
        let point = found.resume_point();
        prop_assert_eq!(point.row(), at);
        let mut rest = SearchRows::new(pager().resume(&point).unwrap());
        while let Some(row) = block_on(rest.next()) {
            all.push(id(&row.unwrap()));
        }
        prop_assert_eq!(&all, &(0..rows).collect::<Vec<_>>());
    }

    #[test]
    fn the_page_before_any_page_is_reached_by_its_token_alone(
        rows in 1_u64..120, window in 20_u64..60, page in 1_u32..20, number in 0_u64..12,
    ) {
        let index = FakeIndex { rows, window, ..FakeIndex::default() };
        let pager = || search().pager(&index, page.try_into().unwrap()).unwrap().window(window);
        let tokens = PageTokens::keyed(b"secret");
        let mut pages = pager();
        pages.seek(number * u64::from(page));
        let Some(found) = block_on(pages.next_page()).unwrap() else { return Ok(()) };
        prop_assert_eq!(found.previous.is_none(), number == 0);
        let place = tokens.read_search(&tokens.write_search(&found.place)).unwrap();
        let again = block_on(pager().resume(&place).unwrap().next_page()).unwrap().unwrap();
        prop_assert_eq!((again.offset, ids(&again)), (found.offset, ids(&found)));
        if let Some(previous) = &found.previous {
            let previous = tokens.read_search(&tokens.write_search(previous)).unwrap();
            let mut pages = pager().resume(&previous).unwrap();
            let before = block_on(pages.next_page()).unwrap().unwrap();
            let from = (number - 1) * u64::from(page);
            prop_assert_eq!(ids(&before), (from..rows.min(from + u64::from(page))).collect::<Vec<_>>());
            let again = block_on(pages.next_page()).unwrap();
            let again = again.map(|page| ids(&page)).unwrap_or_default();
            prop_assert_eq!(again, ids(&found));
        }
    }

    #[test]
    fn without_tokens_the_window_is_given_whole_and_then_an_error(
        rows in 0_u64..120, window in 1_u64..60, page in 1_u32..20, count in count(), collapses in any::<bool>(),
    ) {
        let index = FakeIndex { rows, window, nested: true, ..FakeIndex::default() };
        let mut search = search().total(count);
        if collapses {
            search = search.collapse("city");
        }
        let mut pager = search.pager(&index, page.try_into().unwrap()).unwrap().window(window);
        let mut all = Vec::new();
        let outcome = loop {
            match block_on(pager.next_page()) {
                Ok(Some(page)) => all.extend(ids(&page)),
                Ok(None) => break None,
                Err(error) => break Some(error.kind()),
            }
        };
        prop_assert_eq!(all, (0..rows.min(window)).collect::<Vec<_>>());
        let missing = if collapses { ErrorKind::SearchWindow } else { ErrorKind::SearchToken };
        prop_assert_eq!(outcome, (rows > window).then_some(missing));
    }

    #[test]
    fn a_token_goes_on_in_another_process(
        rows in 1_u64..120, window in 1_u64..60, page in 1_u32..20, sorted in any::<bool>(),
    ) {
        let index = FakeIndex { rows, window, nested: false, ..FakeIndex::default() };
        let search = || if sorted { search().sort(FieldSort::asc("price")) } else { search() };
        let pager = || search().pager(&index, page.try_into().unwrap()).unwrap().window(window);
        let tokens = PageTokens::keyed(b"secret");
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut pager = pager();
            if let Some(token) = &token {
                pager = pager.resume(&tokens.read_search(token).unwrap()).unwrap();
            }
            let Some(page) = block_on(pager.next_page()).unwrap() else { break };
            all.extend(ids(&page));
            let Some(next) = page.next else { break };
            token = Some(tokens.write_search(&next));
        }
        prop_assert_eq!(all, (0..rows).collect::<Vec<_>>());
        if let Some(token) = token {
            let other = search().filter(Query::exists("price"));
            let other = other.pager(&index, page.try_into().unwrap()).unwrap();
            let error = other.resume(&tokens.read_search(&token).unwrap()).unwrap_err();
            prop_assert_eq!(error.kind(), ErrorKind::ResumePointOfOtherSearch);
        }
    }

    #[test]
    fn a_page_dropped_or_failed_at_any_call_comes_as_if_nothing_had_happened(
        rows in 0_u64..2_500, window in 1_u64..600, page in 1_u32..300, seek in 0_u64..2_500,
        empty_every in prop_oneof![Just(0_usize), 2_usize..4], busy_every in prop_oneof![Just(0_usize), 2_usize..5],
        drops in prop::collection::vec(any::<bool>(), 1..20),
    ) {
        let index = FakeIndex { rows, window, empty_every, busy_every, ..FakeIndex::default() };
        let mut pager = search().pager(&index, page.try_into().unwrap()).unwrap().window(window);
        let mut context = Context::from_waker(Waker::noop());
        let mut drops = drops.into_iter().chain(std::iter::repeat(false));
        pager.seek(seek);
        let mut at = seek;
        loop {
            let mut next = pin!(pager.next_page());
            let outcome = loop {
                match next.as_mut().poll(&mut context) {
                    Poll::Ready(outcome) => break Some(outcome),
                    Poll::Pending if drops.next().unwrap() => break None,
                    Poll::Pending => {}
                }
            };
            match outcome {
                None => {}
                Some(Err(error)) => prop_assert_eq!(error.kind(), ErrorKind::Call),
                Some(Ok(Some(page))) => {
                    prop_assert_eq!(page.offset, at);
                    prop_assert_eq!(ids(&page), (at..rows.min(at + ids(&page).len() as u64)).collect::<Vec<_>>());
                    at += ids(&page).len() as u64;
                }
                Some(Ok(None)) => break,
            }
        }
        prop_assert_eq!(at, rows.max(seek));
    }

    #[test]
    fn a_total_limit_is_exact(rows in 0_u64..80, take in 0_u64..90, page in 1_u32..20) {
        let index = FakeIndex { rows, window: 30, ..FakeIndex::default() };
        let pager = search().pager(&index, page.try_into().unwrap()).unwrap().window(30);
        let mut pager = pager.take_rows(take);
        prop_assert_eq!(rest(&mut pager).unwrap(), (0..rows.min(take)).collect::<Vec<_>>());
    }
}

#[test]
fn a_jump_beyond_the_window_reads_keys_and_few_of_them() {
    let index = FakeIndex {
        rows: 20_000,
        window: 10_000,
        ..FakeIndex::default()
    };
    let mut pager = search().pager(&index, 20.try_into().unwrap()).unwrap();
    pager.seek(13_500);
    let page = block_on(pager.next_page()).unwrap().unwrap();
    assert_eq!((page.offset, ids(&page).len()), (13_500, 20));
    let requests = index.requests.lock().unwrap();
    let keys_only: Vec<bool> = requests.iter().map(|(_, keys_only)| *keys_only).collect();
    assert_eq!(keys_only, [true, true, true, true, true, false]);
}

#[test]
fn pages_without_rows_may_repeat_their_token_but_not_for_ever() {
    for (stands_still, found) in [(99, 50), (100, 20)] {
        let index = FakeIndex {
            rows: 50,
            window: 10_000,
            stands_still,
            ..FakeIndex::default()
        };
        let mut rows = search().limit(20).search_rows(&index).unwrap();
        let mut all = 0;
        let error = loop {
            match block_on(rows.next()) {
                Some(Ok(_)) => all += 1,
                Some(Err(error)) => break Some(error.kind()),
                None => break None,
            }
        };
        assert_eq!(all, found);
        assert_eq!(error, (found < 50).then_some(ErrorKind::NotAdvancing));
    }
}

/// Without rows, and each with a token that another of them gave before.
struct Circle {
    tokens: usize,
    asked: AtomicUsize,
}

impl Call<operation::Search> for Circle {
    async fn call(&self, _: SearchRequest) -> Result<Reply<SearchResponse>, Error> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        assert!(number < 10_000, "it is asked for ever");
        Ok(Reply::new(SearchResponse {
            total_hits: Some(-1),
            is_all_succeeded: Some(true),
            next_token: Some((number % self.tokens).to_string().into()),
            ..SearchResponse::default()
        }))
    }
}

#[test]
fn pages_without_rows_whose_tokens_go_round_end_in_an_error() {
    for tokens in [2, 3, 64, 100, 1_000] {
        let index = Circle {
            tokens,
            asked: AtomicUsize::new(0),
        };
        let mut rows = search().limit(20).search_rows(&index).unwrap();
        let error = block_on(rows.next()).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAdvancing);
        let asked = index.asked.load(Ordering::SeqCst);
        assert!((100..=100 + 4 * tokens).contains(&asked), "{asked}");
    }
}

#[test]
fn a_part_of_the_index_that_does_not_answer_is_an_error_and_no_end() {
    let index = FakeIndex {
        rows: 50,
        window: 10_000,
        partial_from: Some(3),
        ..FakeIndex::default()
    };
    let mut found = search().limit(10).search_rows(&index).unwrap();
    for _ in 0..20 {
        block_on(found.next()).unwrap().unwrap();
    }
    let error = block_on(found.next()).unwrap().unwrap_err();
    assert_eq!((error.kind(), error.rows()), (ErrorKind::Call, Some(20)));
    assert!(block_on(found.next()).is_none());
}

#[test]
fn rows_of_a_search_without_tokens_end_in_an_error_that_says_what_to_add() {
    let index = FakeIndex {
        rows: 50,
        window: 40,
        nested: true,
        ..FakeIndex::default()
    };
    let pager = search().pager(&index, 20.try_into().unwrap()).unwrap();
    let mut found = SearchRows::new(pager.window(40));
    for _ in 0..40 {
        block_on(found.next()).unwrap().unwrap();
    }
    let error = block_on(found.next()).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SearchToken);
    assert!(
        error.to_string().contains("a search with a sort: add one"),
        "{error}"
    );
}

#[test]
fn rows_come_in_the_largest_pages_that_their_columns_allow() {
    let some = || Columns::Specified(vec!["price".to_owned()]);
    for (columns, limit, requests) in [
        (Columns::All, None, 25),
        (some(), None, 25),
        (Columns::AllFromIndex, None, 3),
        (Columns::PrimaryKey, None, 3),
        (Columns::All, Some(500), 5),
        (Columns::PrimaryKey, Some(500), 5),
    ] {
        let index = FakeIndex {
            rows: 2_450,
            window: 10_000,
            ..FakeIndex::default()
        };
        let mut search = search().columns(columns);
        if let Some(limit) = limit {
            search = search.limit(limit);
        }
        let mut found = search.search_rows(&index).unwrap();
        while let Some(row) = block_on(found.next()) {
            row.unwrap();
        }
        assert_eq!((found.delivered(), found.requests()), (2_450, requests));
    }
}

#[test]
fn a_page_that_the_service_cuts_short_is_no_end() {
    for (nested, rows) in [(false, 250), (true, 250), (false, 200), (true, 200)] {
        let index = FakeIndex {
            rows,
            window: 10_000,
            nested,
            most_rows: Some(100),
            ..FakeIndex::default()
        };
        let mut pager = search().pager(&index, 300.try_into().unwrap()).unwrap();
        assert_eq!(rest(&mut pager).unwrap(), (0..rows).collect::<Vec<_>>());
    }
}

#[test]
fn rows_before_the_damage_come_before_the_page_is_asked_for_again() {
    let index = FakeIndex {
        rows: 20,
        window: 10_000,
        damaged: Mutex::new(BTreeMap::from([(7, 1)])),
        ..FakeIndex::default()
    };
    let mut found = search().limit(10).search_rows(&index).unwrap();
    for number in 0..20 {
        let row = block_on(found.next()).unwrap().unwrap();
        assert_eq!(id(&row), number);
        let requests = index.requests.lock().unwrap().len() as u64;
        assert_eq!(
            requests,
            1 + u64::from(number >= 7) + u64::from(number >= 10)
        );
        assert_eq!(found.requests(), requests);
    }
}

#[test]
fn a_page_that_comes_again_with_other_rows_before_the_damage_is_not_gone_on_in() {
    for (damaged, written_from) in [(7, 2), (7, 3), (0, 2)] {
        let index = FakeIndex {
            rows: 20,
            window: 10_000,
            damaged: Mutex::new(BTreeMap::from([(damaged, written_from - 1)])),
            written_from: Some(written_from),
            ..FakeIndex::default()
        };
        let mut found = search().limit(10).search_rows(&index).unwrap();
        for number in 0..damaged {
            assert_eq!(id(&block_on(found.next()).unwrap().unwrap()), number);
        }
        let next = block_on(found.next()).unwrap();
        if damaged == 0 {
            // None was given of it: whatever it is now, is the page.
            let key = next.unwrap().primary_key;
            assert_eq!(key.get("id").unwrap().as_integer(), Some(-1));
            continue;
        }
        let error = next.unwrap_err();
        assert_eq!((error.kind(), error.rows()), (ErrorKind::Rows, Some(7)));
        assert_eq!(error.as_plain_buffer().unwrap().row(), Some(7));
        assert_eq!(found.resume_point().row(), 7);
        assert!(found.is_terminated() && block_on(found.next()).is_none());
    }
}

#[test]
fn a_bound_of_the_count_is_no_end_and_no_total() {
    for (rows, total) in [(999, Some(999)), (1_000, None), (5_000, None)] {
        let index = FakeIndex {
            rows,
            window: 10_000,
            nested: true,
            ..FakeIndex::default()
        };
        let search = search().total(TotalCount::UpTo(1_000));
        let mut pager = search.pager(&index, 100.try_into().unwrap()).unwrap();
        assert_eq!(rest(&mut pager).unwrap(), (0..rows).collect::<Vec<_>>());
        assert_eq!(pager.total(), total);
        assert_eq!(pager.total_pages(), total.map(|_| 10));
    }
}

#[test]
fn where_only_a_bound_of_the_count_is_known_the_end_of_the_window_counts_all() {
    for (rows, missing) in [(40, None), (41, Some(ErrorKind::SearchToken))] {
        let index = FakeIndex {
            rows,
            window: 40,
            nested: true,
            ..FakeIndex::default()
        };
        let pager = search()
            .total(TotalCount::UpTo(30))
            .pager(&index, 20.try_into().unwrap());
        let mut pager = pager.unwrap().window(40);
        for _ in 0..2 {
            assert_eq!(
                ids(&block_on(pager.next_page()).unwrap().unwrap()).len(),
                20
            );
        }
        assert_eq!(pager.total(), None);
        let end = block_on(pager.next_page());
        assert_eq!(
            end.map(|page| page.is_none()).map_err(|error| error.kind()),
            missing.map_or(Ok(true), Err)
        );
        assert_eq!(pager.total(), Some(rows));
    }
}

#[test]
fn a_collapsing_search_gives_all_of_the_window_and_then_an_error() {
    let index = FakeIndex {
        rows: 50,
        window: 45,
        ..FakeIndex::default()
    };
    let pager = search()
        .collapse("city")
        .pager(&index, 20.try_into().unwrap());
    let mut pager = pager.unwrap().window(45);
    for rows in [20, 20, 5] {
        let page = block_on(pager.next_page()).unwrap().unwrap();
        assert_eq!(ids(&page).len(), rows);
    }
    let error = block_on(pager.next_page()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SearchWindow);
}
