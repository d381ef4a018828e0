//! Scans: sessions that end, indexes and tables that go.

use super::*;

/// Rows that come once each, as they were in the table.
#[track_caller]
fn assert_a_part(given: &[Row], table: &[Row]) {
    let given = in_key_order(given.to_vec());
    assert!(given.is_sorted_by(|a, b| a.key_order(b).is_lt()), "doubled");
    assert!(given.iter().all(|row| table.contains(row)), "changed");
    assert!(given.len() < table.len(), "the scan was complete");
}

#[tokio::test]
async fn an_expired_session_ends_the_scan_with_exact_counts() {
    for pages_before in [0, 1, 2, 5, 12] {
        let (place, clock) = place();
        let rows = place.load_index().await;
        let table: Vec<Row> = rows.iter().map(|row| place.indexed(row)).collect();

        let limiter = Limiter::fixed(2);
        let scan_of = || scan(&place).limit(10).limiter(limiter.clone());
        let mut scan = scan_of().open().await.unwrap();
        let mut given = Given::default();
        for _ in 0..pages_before {
            given.take(&scan.try_next().await.unwrap().unwrap());
        }
        clock.advance(Duration::from_secs(60));

        let error = given.drain(&mut scan).await;
        let ScanErrorKind::SessionExpired { split } = error.kind() else {
            panic!("{error:?}");
        };
        assert_eq!(split.of(), SPLITS);
        let code = error.as_call().and_then(ots_core::Error::code);
        assert_eq!(code, Some(&ErrorCode::SessionExpired));
        given.assert_counted(error.progress().unwrap());
        assert_a_part(&given.rows, &table);
        let rows = match given.rows.len() {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        };
        let sentence = format!(
            "the session expired on {split} after {rows}; open the scan again to restart from the \
             beginning"
        );
        assert_eq!(
            error.to_string().split_once(": ").map(|(_, rest)| rest),
            Some(sentence.as_str())
        );

        assert!(scan.try_next().await.unwrap().is_none(), "it has ended");
        released(&limiter).await;
        // Starting over is the caller's choice, and gives everything.
        assert_eq!(scan_rows(scan_of()).await, table);
    }
}

#[tokio::test]
async fn an_expired_session_ends_the_stream_of_rows_with_the_same_counts() {
    let (place, clock) = place();
    place.load_index().await;
    let mut rows = scan(&place).limit(10).open().await.unwrap().rows();
    let mut given = 0;
    for _ in 0..25 {
        let _ = rows.try_next().await.unwrap().unwrap();
        given += 1;
    }
    clock.advance(Duration::from_secs(3_600));
    let error = loop {
        match rows.try_next().await {
            Ok(Some(_)) => given += 1,
            Ok(None) => panic!("the scan looks complete after {given} rows"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error.kind(), ScanErrorKind::SessionExpired { .. }));
    assert_eq!(error.progress().unwrap().rows(), given);
    assert!(rows.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_slow_reader_keeps_its_session_by_reading() {
    for (alive, pause, survives) in [(60, 59, true), (120, 119, true), (60, 60, false)] {
        let (place, clock) = place();
        place.load_index().await;
        // One split: every page that is taken asks for another.
        let mut scan = scan(&place)
            .concurrency(1)
            .limit(25)
            .alive_time(Duration::from_secs(alive))
            .open()
            .await
            .unwrap();
        let outcome = loop {
            match scan.try_next().await {
                Ok(Some(_)) => clock.advance(Duration::from_secs(pause)),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert_eq!(
            outcome.is_ok(),
            survives,
            "{pause} s of {alive}: {outcome:?}"
        );
        assert_eq!(scan.progress().rows() == 250, survives);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_is_a_snapshot_while_rows_are_written_and_deleted() {
    let (place, _) = place();
    let rows = place.load_index().await;
    let table: Vec<Row> = rows.iter().map(|row| place.indexed(row)).collect();
    let mut scan_under_way = scan(&place).limit(3).open().await.unwrap();
    let mut given = Given::default();
    // The snapshot is taken by the first request that reads.
    given.take(&scan_under_way.try_next().await.unwrap().unwrap());

    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (place, stop) = (place.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let table = &place.table("bulk").name;
            let key = |g: &str, i: i64| PrimaryKey::new().column("g", g).column("i", i);
            let mut rounds = 0_i64;
            while !stop.load(Ordering::Relaxed) || rounds < 50 {
                let i = rounds % 50;
                let changes = [
                    RowChange::Put(OwnedRow::new(key("new", rounds)).cell("n", rounds)),
                    RowChange::Update(RowUpdate::new(key("g1", i)).put("n", -1)),
                    RowChange::Delete(key("g3", i)),
                ];
                let batch = BatchWriteRow::new().table(TableWrites::new(table).changes(changes));
                for result in place
                    .client()
                    .send(batch)
                    .await
                    .unwrap()
                    .into_iter()
                    .flatten()
                {
                    result.unwrap();
                }
                rounds += 1;
                tokio::task::yield_now().await;
            }
            rounds
        })
    };
    while let Some(page) = scan_under_way.try_next().await.unwrap() {
        given.take(&page);
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    let rounds = writer.await.unwrap();
    assert_eq!(in_key_order(given.rows), table);

    // A new scan has a new snapshot: fifty rows are gone, one came with every round.
    let now = scan_rows(scan(&place)).await;
    assert_eq!(now.len(), 200 + usize::try_from(rounds).unwrap());
    let changed = scan(&place).query(Query::term("n", -1));
    assert_eq!(scan_rows(changed).await.len(), 50);
}

#[tokio::test]
async fn an_index_deleted_during_a_scan_ends_it_even_if_another_takes_its_name() {
    for recreated in [false, true] {
        let (place, _) = place();
        let rows = place.load_index().await;
        let table: Vec<Row> = rows.iter().map(|row| place.indexed(row)).collect();
        let mut scan = scan(&place).limit(10).open().await.unwrap();
        let mut given = Given::default();
        given.take(&scan.try_next().await.unwrap().unwrap());

        let name = &place.table("bulk").name;
        let client = place.client();
        client
            .send(DeleteSearchIndex::new(name, INDEX))
            .await
            .unwrap();
        if recreated {
            let create = CreateSearchIndex::new(name, INDEX).field("n", FieldType::Long);
            client.send(create).await.unwrap();
        }

        let error = given.drain(&mut scan).await;
        assert!(
            matches!(error.kind(), ScanErrorKind::SessionExpired { .. }),
            "{error:?}"
        );
        given.assert_counted(error.progress().unwrap());
        assert_a_part(&given.rows, &table);
    }
}

#[tokio::test]
async fn a_table_deleted_during_a_scan_fails_its_next_page() {
    let (place, _) = place();
    place.load_index().await;
    let mut scan = scan(&place).limit(10).open().await.unwrap();
    let mut given = Given::default();
    given.take(&scan.try_next().await.unwrap().unwrap());
    let name = &place.table("bulk").name;
    let client = place.client();
    client
        .send(DeleteSearchIndex::new(name, INDEX))
        .await
        .unwrap();
    client.send(DeleteTable::new(name)).await.unwrap();

    let error = given.drain(&mut scan).await;
    let ScanErrorKind::Call { split, page } = error.kind() else {
        panic!("{error:?}");
    };
    let (pages, _) = given.splits.get(&split.id()).copied().unwrap_or_default();
    assert_eq!(*page, pages, "the page after those that were given");
    // Operations on a search index have a code of their own for a table that isn't there.
    let code = error.as_call().and_then(ots_core::Error::code);
    assert_eq!(code, Some(&ErrorCode::ParameterInvalid));
    given.assert_counted(error.progress().unwrap());
}

#[tokio::test]
async fn splits_without_matches_end_like_others() {
    let (place, _) = place_with(|settings| settings.scan_page_rows = 2);
    let rows = place.load_index().await;
    for (wanted, query) in [
        (0, Query::term("kw", "nowhere")),
        (1, Query::term("n", 7)),
        (5, Query::range("n").lt(5).into()),
    ] {
        let mut scan = scan(&place).query(query).open().await.unwrap();
        let mut given = Given::default();
        let mut empty = 0;
        while let Some(page) = scan.try_next().await.unwrap() {
            assert!(page.rows.len() <= 2, "the service's own bound");
            empty += u32::from(page.rows.is_empty());
            given.take(&page);
        }
        assert_eq!(given.rows.len(), wanted);
        assert_eq!(empty, SPLITS, "every split ends with a page without rows");
        assert!(given.rows.iter().all(|row| {
            rows.iter()
                .any(|table_row| place.indexed(table_row) == *row)
        }));
        assert!(scan.progress().is_done());
    }
}
