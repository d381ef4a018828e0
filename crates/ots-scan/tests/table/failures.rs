//! How a scan ends before its end, and how a caller ends it.

use super::*;

#[tokio::test]
async fn a_part_of_a_row_that_stays_damaged_ends_the_scan() {
    // Whose damage shows only when the row is whole, pages later.
    let table = FakeTable::new([row(key("a", 1)).cell("b", 2).cell("c", 3)])
        .cell_caps([1])
        .answer(|_, response| {
            let is_part = response.next_token.is_some();
            Ok(if is_part { damage(response) } else { response })
        });
    let world = Arc::new(World::new(table, []));
    let mut rows = scan(&world).open().await.unwrap().rows();
    let error = rows.try_next().await.unwrap_err();
    assert!(matches!(
        error.kind(),
        TableScanErrorKind::Decode { range: 0, .. }
    ));
    let progress = error.progress().unwrap();
    assert_eq!((progress.rows(), progress.refetched), (0, 2));
    // Three parts, three times.
    assert!(world.table.requests().len() <= 9);
}

#[tokio::test]
async fn a_task_that_panics_is_no_end() {
    let world = three_by_three(|table| table);
    let pages = scan(&world).open().await.unwrap();
    let mut counts = pages.decode(|page| -> Result<u64, TableScanError> {
        assert!(page.range() != 1, "a bug of the caller's");
        Ok(page.row_count())
    });
    let error = loop {
        match counts.next().await.unwrap() {
            Ok(rows) => assert_eq!(rows, 2),
            Err(error) => break error,
        }
    };
    assert_eq!(*error.kind(), TableScanErrorKind::Aborted);
    assert!(counts.next().await.is_none());
}

#[tokio::test]
async fn a_fault_in_the_middle_leaves_exact_counts_and_a_place_to_go_on_from() {
    // The second page of the second range.
    let world = three_by_three(|table| {
        table.answer(|number, response| {
            if number == 4 {
                let (code, status) = (ErrorCode::ServerBusy, 503.try_into().unwrap());
                return Err(Error::service(code, status, "busy", "r-1"));
            }
            Ok(response)
        })
    });
    let builder = scan(&world).concurrency(1);
    let mut half = builder.open().await.unwrap();
    let mut found = Vec::new();
    let error = loop {
        match half.next().await.unwrap() {
            Ok(page) => found.extend(keys(&page)),
            Err(error) => break error,
        }
    };
    assert!(half.next().await.is_none() && half.is_terminated());
    assert_eq!(
        *error.kind(),
        TableScanErrorKind::Range { range: 1, page: 1 }
    );
    assert_eq!(error.code(), Some(&ErrorCode::ServerBusy));
    assert!(error.is_retryable());
    let progress = error.progress().unwrap();
    let ranges = progress
        .ranges
        .iter()
        .map(|range| (range.pages, range.rows));
    assert_eq!(ranges.collect::<Vec<_>>(), [(3, 6), (1, 2), (0, 0)]);
    assert_eq!(
        (progress.requests, progress.rows(), progress.ranges_done()),
        (5, 8, 1)
    );
    assert_eq!(progress.ranges[2].state, SplitState::Pending);
    assert_eq!(
        error.to_string(),
        "scan of table \"orders\": page 1 of range 1 of 3 failed after 8 rows; resume from the \
         checkpoint to go on behind them"
    );

    let rest = builder.resume(&kept(&half.checkpoint())).unwrap();
    let rest: Vec<_> = rest.try_collect().await.unwrap();
    found.extend(rest.iter().flat_map(keys));
    let found = sorted(found);
    assert!(found.is_sorted_by(|one, next| one < next) && found.len() == 18);
}

#[tokio::test]
async fn a_damaged_page_is_asked_for_again_and_then_given_up() {
    for limiter in [Limiter::fixed(1), Limiter::adaptive(4)] {
        let once = three_by_three(|table| {
            table.answer(|number, response| {
                Ok(if number == 1 {
                    damage(response)
                } else {
                    response
                })
            })
        });
        let builder = scan(&once)
            .concurrency(1)
            .limiter(limiter.clone())
            .buffered_bytes(0);
        let mut pages = builder.open().await.unwrap();
        let rows: Vec<_> = take(&mut pages, usize::MAX)
            .await
            .iter()
            .flat_map(keys)
            .collect();
        assert_eq!((rows.len(), pages.progress().refetched), (18, 1));
        assert_eq!(limiter.in_flight(), 0);
    }
    let always = three_by_three(|table| {
        table.answer(|number, response| {
            Ok(if number > 0 {
                damage(response)
            } else {
                response
            })
        })
    });
    let mut pages = scan(&always).concurrency(1).open().await.unwrap();
    assert_eq!(take(&mut pages, 1).await.len(), 1);
    let error = pages.try_next().await.unwrap_err();
    assert_eq!(
        *error.kind(),
        TableScanErrorKind::Decode { range: 0, page: 1 }
    );
    assert!(error.source().unwrap().is::<plainbuffer::Error>());
    assert_eq!(error.progress().unwrap().rows(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_waits_is_waited_for_and_one_who_goes_leaves_nothing_behind() {
    let world = three_by_three(|table| table);
    let limiter = Limiter::fixed(8);
    let mut pages = scan(&world)
        .concurrency(2)
        .limiter(limiter.clone())
        .open()
        .await
        .unwrap();
    assert!(world.table.requests().is_empty());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(pages.poll_next_unpin(&mut cx).is_pending());
    settle().await;
    assert_eq!(
        world.table.requests().len(),
        4,
        "two pages in each of two tasks"
    );
    assert_eq!((limiter.in_flight(), pages.progress().rows()), (0, 0));
    assert_eq!(world.table.most_in_flight(), 2);
    assert!(matches!(
        pages.poll_next_unpin(&mut cx),
        Poll::Ready(Some(Ok(_)))
    ));
    drop(pages);
    settle().await;
    assert_eq!(Arc::strong_count(&world), 1, "a task is left");

    // Without room, none is asked for ahead: only the first ones in flight, whose size nobody knows.
    let mut narrow = scan(&world)
        .concurrency(3)
        .limiter(Limiter::fixed(2))
        .buffered_bytes(0)
        .open()
        .await
        .unwrap();
    let before = world.table.requests().len();
    assert!(narrow.poll_next_unpin(&mut cx).is_pending());
    settle().await;
    assert_eq!(world.table.requests().len() - before, 2);
    assert_eq!(take(&mut narrow, usize::MAX).await.len(), 9);
}

type Spoil = fn(&mut GetRangeResponse);

/// What can be wrong with where an answer says that the range goes on.
fn bad_next_keys() -> [(&'static str, Spoil); 4] {
    [
        ("no key", |response| {
            let next = response.next_start_primary_key.as_mut().unwrap();
            *next = next.slice(..next.len() - 1);
        }),
        ("a key that doesn't go on", |response| {
            let first = plainbuffer::write_primary_key(&key("a", 0));
            response.next_start_primary_key = Some(first);
        }),
        ("a key of another table", |response| {
            let other = PrimaryKey::new().column("id", 3);
            response.next_start_primary_key = Some(plainbuffer::write_primary_key(&other));
        }),
        ("a row that is cut, and not which", |response| {
            response.next_start_primary_key = None;
            response.next_token = Some(vec![1].into());
        }),
    ]
}

#[tokio::test]
async fn an_answer_that_cannot_be_gone_on_from_is_asked_for_again_and_then_given_up() {
    for (name, spoil) in bad_next_keys() {
        for times in [1, 2, 3] {
            let world = three_by_three(|table| {
                table.answer(move |number, mut response| {
                    // The second page of the first range, as often as it is asked for.
                    if (1..1 + times).contains(&number) {
                        spoil(&mut response);
                    }
                    Ok(response)
                })
            });
            let limiter = Limiter::fixed(2);
            let builder = scan(&world).concurrency(1).limiter(limiter.clone());
            let mut pages = builder.open().await.unwrap();
            let mut found = Vec::new();
            let ended = loop {
                match pages.try_next().await {
                    Ok(Some(page)) => found.extend(keys(&page)),
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            };
            let progress = pages.progress();
            assert_eq!(progress.refetched, times.min(2) as u64, "{name}");
            assert_eq!(progress.buffered_pages, 0);
            assert_eq!(limiter.in_flight(), 0);
            match ended {
                Ok(()) => assert!(times <= 2 && found.len() == 18, "{name}"),
                Err(error) => {
                    assert_eq!((times, found.len()), (3, 2), "{name}");
                    let kind = TableScanErrorKind::Range { range: 0, page: 1 };
                    assert_eq!(*error.kind(), kind, "{name}");
                    assert!(error.source().is_some());
                    // The rest, once the service is well again.
                    let rest = builder.resume(&pages.checkpoint()).unwrap();
                    let rest: Vec<_> = rest.try_collect().await.unwrap();
                    found.extend(rest.iter().flat_map(keys));
                    assert_eq!(found.len(), 18);
                }
            }
            let found = sorted(found);
            assert!(found.is_sorted_by(|one, next| one < next), "{name}");
        }
    }
}
