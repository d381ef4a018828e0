//! Answers as they are read.

use super::*;

#[test]
fn a_row_and_its_absence_are_read() {
    let found = read::<GetRow>("get_row_found").unwrap();
    let row = found.row.unwrap();
    assert_eq!(row.key_columns(), gid(1).columns());
    assert_eq!((found.consumed.read, found.consumed.write), (1, 0));
    assert_eq!(found.next_token, None);

    let absent = read::<GetRow>("get_row_absent").unwrap();
    assert_eq!((absent.row, absent.consumed.read), (None, 1));

    let cut = read::<GetRow>("get_row_wide_token").unwrap();
    assert_eq!(cut.next_token, Some(Bytes::from_static(&[1, 2, 3])));
    assert!(cut.row.is_some());
}

#[test]
fn writes_give_back_what_was_asked_for() {
    let plain = read::<PutRow>("put_row_plain").unwrap();
    assert_eq!((plain.row, plain.consumed.write), (None, 1));
    let keyed = read::<PutRow>("put_row_auto_increment")
        .unwrap()
        .row
        .unwrap();
    assert_eq!(keyed.key_columns().len(), 2);
    let counted = read::<UpdateRow>("update_row_after_modify")
        .unwrap()
        .row
        .unwrap();
    assert_eq!(counted.get("n").unwrap().as_integer(), Some(8));
    assert_eq!(read::<DeleteRow>("delete_row_plain").unwrap().row, None);
}

#[test]
fn every_row_of_a_batch_has_its_own_result() {
    let tables = read::<BatchGetRow>("batch_get_row_partial").unwrap();
    let [rows] = &tables[..] else {
        panic!("{tables:?}")
    };
    assert_eq!(rows.len(), 3);
    assert!(rows[0].as_ref().unwrap().row.is_some());
    assert_eq!(rows[1].as_ref().unwrap().row, None);
    let error = rows[2].as_ref().unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ServerBusy));
    assert_eq!(error.to_string(), "OTSServerBusy: Server is busy.");

    let tables = read::<BatchWriteRow>("batch_write_row_partial").unwrap();
    assert_eq!(tables[0][0].as_ref().unwrap().consumed.write, 1);
    let error = tables[0][1].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "OTSConditionCheckFail: Condition check failed."
    );

    let tables = read::<BatchWriteRow>("batch_write_row_returned_key").unwrap();
    assert!(tables[0][0].as_ref().unwrap().row.is_some());
}

#[test]
fn a_cut_row_of_a_batch_does_not_pass_for_the_whole() {
    let tables = read::<BatchGetRow>("batch_get_row_token").unwrap();
    let error = tables[0][0].as_ref().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Response(ResponseProblem::RowCut));
}

#[test]
fn a_row_that_does_not_decode_leaves_the_others_of_the_batch_alone() {
    let mut response: messages::BatchGetRowResponse = response("batch_get_row_partial");
    response.tables[0].rows[0].row = Some(Bytes::from_static(b"not a row"));
    let tables = BatchGetRow::read(Reply::new(response)).unwrap();
    let error = tables[0][0].as_ref().unwrap_err();
    assert_eq!(chain(error).len(), 2);
    assert!(tables[0][1].is_ok());
}

#[test]
fn a_page_ends_the_range_only_by_having_no_next_key() {
    let page = read::<GetRange>("get_range_page").unwrap();
    assert_eq!(page.next_start, Some(gid(3)));
    assert_eq!(page.next_token, None);
    let mut rows = Reader::new(&page.rows, Accept::Rows).unwrap();
    let mut count = 0;
    while rows.next_row().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 2);

    assert_eq!(read::<GetRange>("get_range_end").unwrap().next_start, None);

    let empty = read::<GetRange>("get_range_empty_but_more").unwrap();
    assert_eq!((empty.rows.len(), empty.next_start), (0, Some(gid(1000))));

    let cut = read::<GetRange>("get_range_wide_token").unwrap();
    assert_eq!(cut.next_token, Some(Bytes::from_static(b"tok")));
    assert_eq!(cut.next_start, Some(gid(1)));
}

#[test]
fn an_empty_next_key_or_token_is_like_a_missing_one() {
    let response = messages::GetRangeResponse {
        next_start_primary_key: Some(Bytes::new()),
        next_token: Some(Bytes::new()),
        ..messages::GetRangeResponse::default()
    };
    let page = GetRange::read(Reply::new(response)).unwrap();
    assert_eq!((page.next_start, page.next_token), (None, None));

    let response = messages::ParallelScanResponse {
        next_token: Some(Bytes::new()),
        ..messages::ParallelScanResponse::default()
    };
    assert_eq!(
        ParallelScan::read(Reply::new(response)).unwrap().next_token,
        None
    );
    let response = messages::SearchResponse {
        next_token: Some(Bytes::new()),
        ..messages::SearchResponse::default()
    };
    assert_eq!(Search::read(Reply::new(response)).unwrap().next_token, None);
}

#[test]
fn a_page_in_a_form_that_was_not_asked_for_is_an_error() {
    let error = read::<GetRange>("get_range_matrix").unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "the response's body can't be decoded",
            "GetRange answered with a SimpleRowMatrix block, not asked for",
        ]
    );
}

#[test]
fn a_next_key_that_does_not_decode_is_an_error() {
    let response = messages::GetRangeResponse {
        next_start_primary_key: Some(Bytes::from_static(b"not a key")),
        ..messages::GetRangeResponse::default()
    };
    let error = GetRange::read(Reply::new(response)).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Response(ResponseProblem::Body));
}

#[test]
fn sessions_and_their_pages_are_read() {
    let splits = read::<ComputeSplits>("compute_splits").unwrap();
    assert_eq!(
        (&splits.session_id[..], splits.splits_size.get()),
        (&b"sess-1"[..], 3)
    );
    let page = read::<ParallelScan>("parallel_scan_page").unwrap();
    assert_eq!(
        (page.rows.len(), page.next_token),
        (2, Some(Bytes::from_static(&[1, 255])))
    );
    let done = read::<ParallelScan>("parallel_scan_done").unwrap();
    assert_eq!((done.rows.len(), done.next_token), (0, None));
}

#[test]
fn a_session_without_id_or_splits_is_no_session() {
    let session = |id: &'static [u8], splits_size| messages::ComputeSplitsResponse {
        session_id: Some(Bytes::from_static(id)),
        splits_size,
    };
    for response in [
        messages::ComputeSplitsResponse::default(),
        session(b"", Some(3)),
        session(b"s", None),
        session(b"s", Some(0)),
        session(b"s", Some(-1)),
    ] {
        let error = ComputeSplits::read(Reply::new(response)).unwrap_err();
        let text = "ComputeSplits answered without a session id or without splits";
        assert_eq!(chain(&error)[1], text);
    }
}

#[test]
fn matches_are_read_and_a_part_of_them_is_an_error() {
    let full = read::<Search>("search_full").unwrap();
    assert_eq!((full.rows.len(), full.total()), (2, Some(2)));
    assert_eq!(full.next_token, Some(Bytes::from_static(b"next")));
    let rows = full.rows().unwrap();
    assert_eq!(rows.len(), 2);
    let mut lent = full.row_refs();
    let lent = lent.next_row().unwrap().unwrap();
    assert_eq!(lent.to_row(&mut NameCache::default()), rows[0]);
    let empty = read::<Search>("search_empty").unwrap();
    assert_eq!(
        (empty.rows.len(), empty.total(), &empty.next_token),
        (0, Some(0), &None)
    );

    let error = read::<Search>("search_not_counted").unwrap_err();
    let text = "Search answered with only a part of the matches: some shards failed";
    assert_eq!(chain(&error)[1], text);
    let mut not_counted: messages::SearchResponse = response("search_not_counted");
    not_counted.is_all_succeeded = Some(true);
    assert_eq!(Search::read(Reply::new(not_counted)).unwrap().total(), None);
}

#[test]
fn tables_and_indexes_are_described() {
    let table = read::<DescribeTable>("describe_table").unwrap();
    assert_eq!(table.name, "t");
    let names: Vec<_> = table
        .primary_key
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["gid", "seq"]);
    assert_eq!(table.options.max_versions, Some(1));
    assert_eq!(read::<ListTable>("list_table").unwrap(), ["a", "b"]);
    let indexes = read::<ListSearchIndex>("list_search_index").unwrap();
    let names: Vec<_> = indexes
        .iter()
        .map(|name| (name.table.as_str(), name.index.as_str()))
        .collect();
    assert_eq!(names, [("t", "i1"), ("t", "i2")]);
}

#[test]
fn refusals_are_read() {
    let error: messages::Error = response("error_condition_check");
    assert_eq!(
        ErrorCode::from(error.code.as_str()),
        ErrorCode::ConditionCheckFail
    );
    let error: messages::Error = response("error_with_access_denied_detail");
    let mut rows: messages::BatchGetRowResponse = response("batch_get_row_partial");
    rows.tables[0].rows[2].error = Some(error);
    let tables = BatchGetRow::read(Reply::new(rows)).unwrap();
    let error = tables[0][2].as_ref().unwrap_err().as_service().unwrap();
    assert_eq!(error.code, ErrorCode::NoPermissionAccess);
    let denied = error.access_denied.as_deref().unwrap();
    assert_eq!(denied.action, "ots:GetRow");
    assert_eq!(denied.no_permission_type, "ImplicitDeny");
    assert_eq!(denied.diagnostic_message, None);
}
