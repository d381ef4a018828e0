//! Bodies in fewer bytes: zlib streams, called `deflate` by the service.

use std::borrow::Cow;

use bytes::Bytes;

use crate::error::Error;
#[cfg(feature = "compression")]
use crate::error::ResponseProblem;
use crate::sign;

/// Which bodies travel compressed. None do unless a client is told.
///
/// Worth it where the network is slow or its bytes are paid for: deflating and inflating cost more
/// time than everything else that happens to a body.
///
/// ```
/// use ots_core::{Client, Compression, Credentials};
///
/// let client = Client::builder("https://shop.cn-hangzhou.ots.aliyuncs.com")
///     .credentials(Credentials::new("an-id", "a-secret"))
///     .compression(Compression::deflate());
/// ```
#[cfg(feature = "compression")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compression {
    /// Bodies of requests from this many bytes on are compressed, if that makes them shorter; none are
    /// when it is absent.
    pub requests_from_bytes: Option<usize>,
    /// Whether compressed answers are asked for. The service decides.
    pub responses: bool,
    /// The longest an answer may be once inflated, in bytes. A longer one is refused before it takes
    /// up the room.
    pub max_inflated_bytes: usize,
}

#[cfg(feature = "compression")]
impl Compression {
    /// Requests from 1 KiB on, and all answers, up to 64 MiB each.
    #[must_use]
    pub const fn deflate() -> Self {
        Self {
            requests_from_bytes: Some(1024),
            responses: true,
            max_inflated_bytes: 64 * 1024 * 1024,
        }
    }
}

/// What a client does about compression: nothing, or what it was told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Codec {
    #[cfg(feature = "compression")]
    pub(crate) settings: Option<Compression>,
}

/// The body of a request as it travels: made once for all attempts.
pub(crate) struct Outgoing {
    pub(crate) bytes: Bytes,
    /// Of the bytes as they travel.
    md5: String,
    /// Headers about compression.
    headers: Vec<(&'static str, Cow<'static, str>)>,
}

impl Outgoing {
    /// The headers that speak about the body.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let md5 = ("x-ots-contentmd5", self.md5.as_str());
        let others = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_ref()));
        std::iter::once(md5).chain(others)
    }
}

impl Codec {
    /// Makes a body ready to travel.
    pub(crate) fn outgoing(self, body: Bytes) -> Outgoing {
        #[cfg(feature = "compression")]
        let (body, headers) = self.compress(body);
        #[cfg(not(feature = "compression"))]
        let headers = Vec::new();
        Outgoing {
            md5: sign::content_md5(&body),
            bytes: body,
            headers,
        }
    }

    #[cfg(feature = "compression")]
    fn compress(self, body: Bytes) -> (Bytes, Vec<(&'static str, Cow<'static, str>)>) {
        let mut headers = Vec::new();
        let Some(settings) = self.settings else {
            return (body, headers);
        };
        if settings.responses {
            headers.push((ANSWER_TYPE, DEFLATE.into()));
        }
        if body.is_empty()
            || settings
                .requests_from_bytes
                .is_none_or(|from| body.len() < from)
        {
            return (body, headers);
        }
        let deflated = deflate(&body);
        if deflated.len() >= body.len() {
            return (body, headers);
        }
        headers.push(("x-ots-request-compress-type", DEFLATE.into()));
        headers.push(("x-ots-request-compress-size", body.len().to_string().into()));
        (deflated, headers)
    }

    /// The body of an answer that says it is compressed so, and how long it is inflated.
    ///
    /// Where it isn't signed, `limit_bytes` holds beside the client's own limit.
    #[cfg(feature = "compression")]
    pub(crate) fn inflate(
        self,
        algorithm: &str,
        stated_bytes: Option<&str>,
        body: &[u8],
        limit_bytes: usize,
    ) -> Result<Bytes, Error> {
        let asked = self.settings.filter(|settings| settings.responses);
        let Some(settings) = asked.filter(|_| algorithm == DEFLATE) else {
            return Err(unwanted(algorithm));
        };
        let Some(stated) = stated_bytes else {
            let name = "x-ots-response-compress-size";
            return Err(Error::response(ResponseProblem::MissingHeader { name }));
        };
        let limit_bytes = settings.max_inflated_bytes.min(limit_bytes);
        match stated.parse::<usize>() {
            // A number too large for this computer is too large in any case.
            Ok(stated) if stated <= limit_bytes => inflate(body, stated),
            _ if !stated.is_empty() && stated.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err(Error::response(ResponseProblem::InflatedTooLarge {
                    limit_bytes,
                }))
            }
            _ => Err(broken(format!("its stated length is {stated:?}"))),
        }
    }

    #[cfg(not(feature = "compression"))]
    #[expect(clippy::unused_self, reason = "the other features' signature")]
    pub(crate) fn inflate(
        self,
        algorithm: &str,
        _: Option<&str>,
        _: &[u8],
        _: usize,
    ) -> Result<Bytes, Error> {
        Err(unwanted(algorithm))
    }
}

fn unwanted(algorithm: &str) -> Error {
    let algorithm = algorithm.to_owned();
    Error::response(crate::error::ResponseProblem::Compressed { algorithm })
}

#[cfg(feature = "compression")]
const DEFLATE: &str = "deflate";
#[cfg(feature = "compression")]
const ANSWER_TYPE: &str = "x-ots-response-compress-type";

#[cfg(feature = "compression")]
fn deflate(body: &[u8]) -> Bytes {
    use std::io::Write as _;

    // Rows repeat their columns' names: the fastest level finds nearly all of that.
    let level = flate2::Compression::fast();
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::with_capacity(body.len() / 2), level);
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    // A vector takes everything; if it ever did not, the body travels as it is.
    written.map_or_else(|_| Bytes::copy_from_slice(body), Bytes::from)
}

/// Inflates a body to exactly the length it states. Room is made as bytes come, so that a stated length
/// alone reserves nothing.
#[cfg(feature = "compression")]
fn inflate(body: &[u8], stated: usize) -> Result<Bytes, Error> {
    use std::io::Read as _;

    let likely = body.len().saturating_mul(4).min(stated);
    let mut inflated = Vec::with_capacity(likely);
    let mut decoder = flate2::read::ZlibDecoder::new(body);
    // One byte more than it states is enough to see that it lies.
    let most = u64::try_from(stated).unwrap_or(u64::MAX).saturating_add(1);
    let read = decoder.by_ref().take(most).read_to_end(&mut inflated);
    read.map_err(broken)?;
    if inflated.len() > stated {
        return Err(broken(format!(
            "it is longer than the {stated} bytes it states"
        )));
    }
    if inflated.len() < stated {
        let found = inflated.len();
        return Err(broken(format!("it states {stated} bytes and has {found}")));
    }
    if decoder.total_in() != u64::try_from(body.len()).unwrap_or(u64::MAX) {
        return Err(broken("something follows its end"));
    }
    Ok(inflated.into())
}

#[cfg(feature = "compression")]
fn broken(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::response(ResponseProblem::Inflate).with_source(source)
}
