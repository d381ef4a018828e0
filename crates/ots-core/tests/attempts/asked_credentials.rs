//! Credentials are asked for at every attempt.

use super::*;

/// A provider that gives another key each time, as temporary credentials do.
#[derive(Debug, Default)]
struct Rotating(AtomicU32);

#[async_trait]
impl CredentialsProvider for Rotating {
    async fn credentials(&self) -> Result<Credentials, Error> {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let (id, secret) = (format!("id-{number}"), format!("secret-{number}"));
        Ok(Credentials::new(id, secret).with_security_token(format!("token-{number}")))
    }
}

#[tokio::test]
async fn every_attempt_asks_for_credentials_and_is_checked_against_them() {
    let transport = script([
        Answer::busy().signed_by("id-0", "secret-0").step(),
        absent_row().signed_by("id-1", "secret-1").step(),
    ]);
    let client = builder(Arc::clone(&transport), &clock()).credentials(Rotating::default());
    client.build().unwrap().send(read()).await.unwrap();
    let sent = transport.sent();
    assert_eq!(header(&sent[0], "x-ots-accesskeyid"), "id-0");
    assert_eq!(header(&sent[0], "x-ots-ststoken"), "token-0");
    assert_eq!(header(&sent[1], "x-ots-accesskeyid"), "id-1");
    assert_eq!(header(&sent[1], "x-ots-ststoken"), "token-1");
    for (number, request) in sent.iter().enumerate() {
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let signature = sign::v2::sign(&format!("secret-{number}"), "GetRow", headers);
        assert_eq!(header(request, "x-ots-signature"), signature);
    }
}

#[derive(Debug)]
struct NoCredentials;

#[async_trait]
impl CredentialsProvider for NoCredentials {
    async fn credentials(&self) -> Result<Credentials, Error> {
        Err(Error::configuration("the role has no credentials"))
    }
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let transport = script([absent_row().step()]);
    let client = builder(Arc::clone(&transport), &clock()).credentials(NoCredentials);
    let error = client.build().unwrap().send(read()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GetRow on table \"orders\" of instance \"shop\" failed: the role has no credentials"
    );
    assert_eq!(transport.sent().len(), 0);
}

#[derive(Debug)]
struct HangsOnce(AtomicU32);

#[async_trait]
impl CredentialsProvider for HangsOnce {
    async fn credentials(&self) -> Result<Credentials, Error> {
        if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
            std::future::pending::<()>().await;
        }
        Ok(credentials())
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_do_not_come_count_as_not_sent() {
    let transport = script([written().dated_step()]);
    let client = Client::builder("http://db.example:1")
        .instance("shop")
        .credentials(HangsOnce(AtomicU32::new(0)))
        .transport(Arc::clone(&transport))
        .build()
        .unwrap();
    client.send(write()).await.unwrap();
    assert_eq!(transport.sent().len(), 1);
}

#[tokio::test]
async fn a_key_that_a_header_cannot_carry_is_named_but_not_shown() {
    let transport = script([]);
    let cases = [
        (Credentials::new("bad\nid", SECRET), "x-ots-accesskeyid"),
        (
            Credentials::new(ID, SECRET).with_security_token("bad\ntoken"),
            "x-ots-ststoken",
        ),
    ];
    for (credentials, name) in cases {
        let client = builder(Arc::clone(&transport), &clock()).credentials(credentials);
        let error = client
            .build()
            .unwrap()
            .send(ListTable::new())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "ListTable on instance \"shop\" failed: {name} has characters that a header can't \
                 carry"
            )
        );
    }
    assert_eq!(transport.sent().len(), 0);
}

/// A provider that takes its time, as one that asks a server does.
#[derive(Debug)]
struct Slow;

#[async_trait]
impl CredentialsProvider for Slow {
    async fn credentials(&self) -> Result<Credentials, Error> {
        tokio::time::sleep(Duration::from_secs(20)).await;
        Ok(credentials())
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_for_credentials_is_part_of_the_attempt() {
    let transport = script([Step::Delay(Duration::from_secs(3600))]);
    let client = Client::builder("http://db.example:1").instance("shop");
    let client = client.credentials(Slow).transport(Arc::clone(&transport));
    let client = client.retry(ots_core::retry::NoRetry).build().unwrap();
    let start = tokio::time::Instant::now();
    client.send(read()).await.unwrap_err();
    let passed = start.elapsed();
    assert!((30.0..31.0).contains(&passed.as_secs_f64()), "{passed:?}");
    assert_eq!(transport.sent().len(), 1);
}
