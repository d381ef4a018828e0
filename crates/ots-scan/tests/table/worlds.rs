//! Any table, cut anywhere, in pages of any shape, damaged by chance and stopped whenever.

use super::*;

#[derive(Clone, Debug)]
struct Case {
    rows: Vec<(String, i64)>,
    tombstones: Vec<(String, i64)>,
    points: Vec<(String, Option<i64>)>,
    caps: Vec<usize>,
    cells: Vec<usize>,
    bounds: (Option<(String, i64)>, Option<String>),
    filter: Option<i64>,
    limit: Option<u32>,
    concurrency: u32,
    in_flight: usize,
    buffered_bytes: usize,
    /// After so many pages, or rows, the scan is dropped and resumed.
    stops: Vec<usize>,
    damaged: usize,
}

fn any_key() -> impl Strategy<Value = (String, i64)> {
    ("[a-d]{1,2}", 0_i64..6)
}

prop_compose! {
    fn case()(
        rows in btree_set(any_key(), 0..60),
        tombstones in btree_set(any_key(), 0..8),
        points in btree_set(("[a-d]{1,2}", prop::option::of(0_i64..6)), 0..8),
        caps in vec(1_usize..7, 1..5),
        cells in vec(1_usize..3, 0..3),
        bounds in (prop::option::of(any_key()), prop::option::of("[c-e]{1,2}")),
        filter in prop::option::of(1_i64..4),
        limit in prop::option::of(1_u32..9),
        concurrency in 1_u32..6,
        in_flight in 1_usize..6,
        buffered_bytes in prop_oneof![Just(0_usize), Just(400), Just(1 << 20)],
        stops in vec(0_usize..12, 0..5),
        damaged in 2_usize..9,
    ) -> Case {
        Case {
            tombstones: tombstones.into_iter().filter(|key| !rows.contains(key)).collect(),
            rows: rows.into_iter().collect(),
            points: points.into_iter().collect(),
            caps, cells, bounds, filter, limit, concurrency, in_flight, buffered_bytes, stops, damaged,
        }
    }
}

impl Case {
    fn world(&self) -> Arc<World> {
        let key_of = |(city, id): &(String, i64)| key(city, *id);
        let every = self.filter.unwrap_or(1);
        let damaged = self.damaged;
        let table = FakeTable::new(self.rows.iter().map(|it| row(key_of(it)).cell("b", "wide")))
            .tombstones(self.tombstones.iter().map(key_of))
            .scan_caps(self.caps.iter().copied())
            .cell_caps(self.cells.iter().copied())
            .filter(move |row| {
                row.primary_key.get("id").unwrap().as_integer().unwrap() % every == 0
            })
            // By chance, so that asking again helps in the end.
            .answer(move |number, response| {
                Ok(if hash(number) % damaged == 1 {
                    damage(response)
                } else {
                    response
                })
            });
        let points = self.points.iter().map(|(city, id)| {
            let point = PrimaryKey::new().column("city", city.as_str());
            match id {
                Some(id) => point.column("id", *id),
                None => point,
            }
        });
        Arc::new(World::new(table, points))
    }

    fn scan(&self, world: &Arc<World>) -> TableScanBuilder<Arc<World>> {
        let mut scan = scan(world)
            .concurrency(self.concurrency)
            .limiter(Limiter::fixed(self.in_flight))
            .buffered_bytes(self.buffered_bytes)
            // Requests of other ranges come between, so that a page may be hit again.
            .refetches(1_000);
        if let Some((city, id)) = &self.bounds.0 {
            scan = scan.start(key(city, *id));
        }
        if let Some(city) = &self.bounds.1 {
            scan = scan.end(PrimaryKey::new().column("city", city.as_str()));
        }
        if self.filter.is_some() {
            scan = scan.filter(Filter::column("a").exists());
        }
        match self.limit {
            Some(rows) => scan.limit(rows),
            None => scan,
        }
    }

    fn is_empty_range(&self) -> bool {
        let (Some((from, _)), Some(to)) = &self.bounds else {
            return false;
        };
        from >= to
    }

    fn expected(&self) -> Vec<PrimaryKey> {
        let (from, to) = &self.bounds;
        let rows = self.rows.iter().filter(|(city, id)| {
            from.as_ref()
                .is_none_or(|from| (city, id) >= (&from.0, &from.1))
                && to.as_ref().is_none_or(|to| city < to)
                && id % self.filter.unwrap_or(1) == 0
        });
        rows.map(|(city, id)| key(city, *id)).collect()
    }
}

/// No rhythm that requests could fall in with.
fn hash(number: usize) -> usize {
    let mix = |it: u64, by: u64| (it ^ (it >> 30)).wrapping_mul(by);
    let mixed = mix(
        mix(number as u64 + 1, 0xbf58_476d_1ce4_e5b9),
        0x94d0_49bb_1331_11eb,
    );
    (mixed >> 40) as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_row_comes_once_in_order_within_its_range_whenever_it_is_stopped(case in case()) {
        let world = case.world();
        let builder = case.scan(&world);
        block_on(async {
            let mut scan = match builder.open().await {
                Err(error) if case.is_empty_range() => {
                    assert_eq!(*error.kind(), TableScanErrorKind::Request);
                    return;
                }
                scan => scan.unwrap(),
            };
            let mut found = Vec::new();
            let mut rows_of_page = |page: &TablePage, last: &mut Vec<Option<PrimaryKey>>| {
                let range = page.range() as usize;
                last.resize(last.len().max(range + 1), None);
                for key in keys(page) {
                    assert!(last[range].as_ref() < Some(&key), "out of order");
                    last[range] = Some(key.clone());
                    found.push(key);
                }
            };
            for stop in &case.stops {
                let mut last = Vec::new();
                for page in take(&mut scan, *stop).await {
                    rows_of_page(&page, &mut last);
                }
                scan = builder.resume(&kept(&scan.checkpoint())).unwrap();
            }
            let mut last = Vec::new();
            for page in take(&mut scan, usize::MAX).await {
                rows_of_page(&page, &mut last);
            }
            assert!(scan.progress().is_done() && scan.checkpoint().is_done() && scan.is_terminated());
            assert_eq!(sorted(found), case.expected());
        });
    }

    #[test]
    fn a_stop_in_the_middle_of_a_page_of_rows_loses_and_doubles_nothing(case in case()) {
        prop_assume!(!case.is_empty_range());
        let world = case.world();
        let builder = case.scan(&world);
        block_on(async {
            let mut rows = builder.open().await.unwrap().rows();
            let mut found = Vec::new();
            for stop in case.stops.iter().copied().chain([usize::MAX]) {
                let taken = take(&mut rows, stop).await;
                found.extend(taken.into_iter().map(|row| {
                    assert_eq!(row.cells.len(), 2, "a wide row comes whole");
                    row.primary_key
                }));
                rows = builder.resume(&kept(&rows.checkpoint())).unwrap().rows();
            }
            assert!(rows.try_next().await.unwrap().is_none());
            assert_eq!(sorted(found), case.expected());
        });
    }
}
