//! Requests and answers that are wrong, and bodies that are not copied.

use super::*;

#[tokio::test]
async fn an_answer_found_wrong_after_the_call_has_the_whole_context() {
    let page = messages::GetRangeResponse {
        data_block_type: Some(messages::DataBlockType::SimpleRowMatrix.into()),
        ..Default::default()
    };
    let transport = Scripted::new([Answer::busy().step(), Answer::ok(&page).step()]);
    let range = GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    let error = client(transport, &clock()).send(range).await.unwrap_err();
    assert_eq!(
        chain(&error),
        [
            "GetRange on table \"orders\" of instance \"shop\" failed after 2 attempts in 0.25 s: \
             the response's body can't be decoded \
             (request id 0005aedd-5b9e-9b48-a5c1-720b12a7b4bb)",
            "GetRange answered with a SimpleRowMatrix block, not asked for",
        ]
    );
    assert_eq!(error.request_id(), Some(REQUEST_ID));
}

#[tokio::test]
async fn a_wrong_request_is_not_sent() {
    let transport = script([]);
    let request = read().max_versions(0);
    let error = client(Arc::clone(&transport), &clock())
        .send(request)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "GetRow on table \"orders\": max_versions must be between 1 and 2147483647, got 0"
    );
    assert_eq!((error.attempts(), transport.sent().len()), (0, 0));
}

#[tokio::test]
async fn a_body_that_nests_without_end_is_an_error_not_a_crash() {
    // Groups within groups in a field nobody knows: skipped by recursion, which has a limit.
    let body = vec![0x7b; 1_000_000];
    let error = client(Scripted::new([Answer::new(200, body).step()]), &clock());
    let error = error.send(write()).await.unwrap_err();
    let texts = chain(&error);
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[2].contains("recursion limit reached"), "{texts:?}");
}

#[tokio::test]
async fn bodies_are_never_copied_between_transport_and_message() {
    let session = Bytes::from(vec![7; 4096]);
    let response = messages::ComputeSplitsResponse {
        session_id: Some(session),
        splits_size: Some(3),
    };
    let body = Bytes::from(response.encode_to_vec());
    let (start, end) = (body.as_ptr() as usize, body.as_ptr() as usize + body.len());
    let answer = Answer::new(200, body.clone());
    let client = client(Scripted::new([answer.step()]), &clock());
    let request = messages::ComputeSplitsRequest::default();
    let reply = Call::<operation::ComputeSplits>::call(&client, request)
        .await
        .unwrap();
    let session = reply.response.session_id.unwrap();
    assert!((start..end).contains(&(session.as_ptr() as usize)));
    assert_eq!(reply.body_bytes, body.len());
}
