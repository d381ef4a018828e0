//! Places as text, to be handed to browsers.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::error::{Error, ErrorKind};
use crate::list::PagePlace;
use crate::resume::ResumePoint;
use crate::search_point::SearchPoint;

/// Writes and reads page tokens: text that says where a list goes on, safe in a URL.
///
/// A token is bound to its table, query and direction, and refused for any other. With a secret it is
/// also bound to this service: nobody else can make one, nor change one. It hides nothing: whoever
/// holds a token can read the key inside.
///
/// ```
/// use ots_core::request::GetRange;
/// use ots_paging::{PageTokens, RangeExt as _};
/// use ots_proto::PrimaryKey;
///
/// let range = || GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
/// let tokens = PageTokens::keyed(b"from the configuration of the service");
///
/// let token = tokens.write(&range().cursor()?.resume_point());
/// let cursor = range().resume(&tokens.read(&token)?)?;
/// assert!(PageTokens::plain().read(&token).is_err());
/// # Ok::<(), ots_paging::Error>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct PageTokens {
    key: Option<Hmac<Sha256>>,
}

impl PageTokens {
    /// Tokens with a checksum alone: it finds accidents, not forgery.
    pub const fn plain() -> Self {
        Self { key: None }
    }

    /// Tokens authenticated by HMAC-SHA256 with a secret of any length.
    #[expect(clippy::expect_used, reason = "HMAC is defined for keys of any length")]
    pub fn keyed(secret: &[u8]) -> Self {
        let key = Hmac::<Sha256>::new_from_slice(secret).expect("any length is a key");
        Self { key: Some(key) }
    }

    /// The token of a place in a range.
    #[must_use]
    pub fn write(&self, point: &ResumePoint) -> String {
        self.seal(RANGE, point.to_bytes())
    }

    /// The place of a range that a token says.
    ///
    /// # Errors
    /// [`ErrorKind::PageToken`] when it isn't a token that was written so, of a range, with this secret.
    /// That it is of another range shows where it is [resumed](crate::RangeExt::resume).
    pub fn read(&self, token: &str) -> Result<ResumePoint, Error> {
        let (_, point) = self.open(&[RANGE], token)?;
        ResumePoint::from_bytes(&point)
    }

    /// The token of a page of a list. One that goes forward is also the token of its place.
    #[must_use]
    pub fn write_place(&self, place: &PagePlace) -> String {
        match place {
            PagePlace::From(point) => self.seal(RANGE, point.to_bytes()),
            PagePlace::Before(point) => self.seal(BEFORE, point.to_bytes()),
        }
    }

    /// The page of a list that a token says.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_place(&self, token: &str) -> Result<PagePlace, Error> {
        let (kind, point) = self.open(&[RANGE, BEFORE], token)?;
        let point = ResumePoint::from_bytes(&point)?;
        Ok(if kind == BEFORE {
            PagePlace::Before(point)
        } else {
            PagePlace::From(point)
        })
    }

    /// The token of a place in a search.
    #[must_use]
    pub fn write_search(&self, point: &SearchPoint) -> String {
        self.seal(SEARCH, point.to_bytes())
    }

    /// The place of a search that a token says.
    ///
    /// # Errors
    /// As [`read`](Self::read), of a search.
    pub fn read_search(&self, token: &str) -> Result<SearchPoint, Error> {
        let (_, point) = self.open(&[SEARCH], token)?;
        SearchPoint::from_bytes(&point)
    }

    fn seal(&self, kind: u8, point: Vec<u8>) -> String {
        let mut bytes = vec![kind, u8::from(self.key.is_some())];
        bytes.extend(point);
        if let Some(key) = &self.key {
            let tag = key.clone().chain_update(&bytes).finalize().into_bytes();
            bytes.extend(tag);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The kind of a token, one of those allowed, and what is in it.
    fn open(&self, kinds: &[u8], token: &str) -> Result<(u8, Vec<u8>), Error> {
        let refused = || Error::new(ErrorKind::PageToken);
        if token.len() > MOST_BYTES {
            return Err(refused());
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| refused())?;
        if let Some(key) = &self.key {
            let (content, tag) = bytes.split_last_chunk::<32>().ok_or_else(refused)?;
            let verified = key.clone().chain_update(content).verify_slice(tag);
            verified.map_err(|_| refused())?;
            bytes.truncate(bytes.len().saturating_sub(32));
        }
        match bytes.as_slice() {
            [kind, keyed, point @ ..]
                if kinds.contains(kind) && *keyed == u8::from(self.key.is_some()) =>
            {
                Ok((*kind, point.to_vec()))
            }
            _ => Err(refused()),
        }
    }
}

impl fmt::Debug for PageTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyed = self.key.is_some();
        f.debug_struct("PageTokens").field("keyed", &keyed).finish()
    }
}

const RANGE: u8 = b'r';
const BEFORE: u8 = b'b';
const SEARCH: u8 = b's';

/// Tokens come from browsers: far more than any key or token of the service needs is refused unread.
const MOST_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use ots_proto::PrimaryKey;

    use super::*;
    use crate::page::NextPage;
    use crate::search_point::SearchPlace;

    fn point() -> ResumePoint {
        let key = PrimaryKey::new().column("city", "杭州").column("id", 7);
        ResumePoint::new(42, NextPage::From(key))
    }

    #[test]
    fn tokens_come_back_and_are_safe_in_urls() {
        let search = SearchPoint::new(7, 12_345, SearchPlace::Token("token".into()));
        for tokens in [PageTokens::plain(), PageTokens::keyed(b"secret")] {
            let token = tokens.write(&point());
            assert_eq!(tokens.read(&token).unwrap(), point());
            let safe = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            assert!(token.chars().all(safe));
            let token = tokens.write_search(&search);
            assert_eq!(tokens.read_search(&token).unwrap(), search);
            // A place of a search is none of a range.
            assert_eq!(
                tokens.read(&token).unwrap_err().kind(),
                ErrorKind::PageToken
            );
        }
    }

    #[test]
    fn a_token_says_which_way_its_page_lies() {
        let tokens = PageTokens::keyed(b"secret");
        for place in [PagePlace::From(point()), PagePlace::Before(point())] {
            let token = tokens.write_place(&place);
            assert_eq!(tokens.read_place(&token).unwrap(), place);
            let goes_on = matches!(place, PagePlace::From(_));
            assert_eq!(tokens.read(&token).is_ok(), goes_on);
        }
        let token = tokens.write(&point());
        assert_eq!(tokens.read_place(&token).unwrap(), PagePlace::From(point()));
    }

    #[test]
    fn any_change_is_refused() {
        for tokens in [PageTokens::plain(), PageTokens::keyed(b"secret")] {
            let token = tokens.write(&point());
            for index in 0..token.len() {
                let mut changed = token.clone().into_bytes();
                changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(changed).unwrap();
                // The last character has bits that no byte has.
                assert!(tokens.read(&changed).is_err(), "{index}");
                assert!(tokens.read(&token[..index]).is_err(), "{index}");
            }
        }
    }

    #[test]
    fn only_who_has_the_secret_makes_tokens() {
        let ours = PageTokens::keyed(b"secret");
        for others in [PageTokens::plain(), PageTokens::keyed(b"other")] {
            for (theirs, reader) in [(&others, &ours), (&ours, &others)] {
                let error = reader.read(&theirs.write(&point())).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::PageToken);
            }
        }
        assert_eq!(format!("{ours:?}"), "PageTokens { keyed: true }");
    }
}
