//! The place of a cursor as bytes, for a program to go on later.

use ots_proto::PrimaryKey;
use ots_proto::messages::{GetRangeRequest, TimeRange};
use ots_proto::plainbuffer::{read_primary_key, write_primary_key};

use crate::error::{Error, ErrorKind};
use crate::page::NextPage;

/// A place between two rows of a range, to go on from later, in another process too.
///
/// It is bound to its range by a hash over the table, the direction, the end, the filter, the columns
/// and the versions: resuming anything else is refused. The size of pages and the total limit are
/// not part of it.
///
/// ```
/// use ots_core::request::GetRange;
/// use ots_paging::{RangeExt as _, ResumePoint};
/// use ots_proto::PrimaryKey;
///
/// let range = || GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
/// let bytes = range().cursor()?.resume_point().to_bytes();
///
/// let point = ResumePoint::from_bytes(&bytes)?;
/// let cursor = range().resume(&point)?;
/// # assert_eq!(cursor.resume_point(), point);
/// # Ok::<(), ots_paging::Error>(())
/// ```
///
/// It is for programs: the checksum finds accidents, not forgery, and the key inside can be read by
/// whoever holds the bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct ResumePoint {
    fingerprint: u64,
    next: NextPage,
}

impl ResumePoint {
    pub(crate) const fn new(fingerprint: u64, next: NextPage) -> Self {
        Self { fingerprint, next }
    }

    pub(crate) const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Another place of the same range.
    pub(crate) fn moved_to(self, key: PrimaryKey) -> Self {
        Self::new(self.fingerprint, NextPage::From(key))
    }

    /// Where the range goes on.
    #[must_use]
    pub const fn next(&self) -> &NextPage {
        &self.next
    }

    /// The point as bytes: a version, the hash of the range, the key, a checksum.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.fingerprint.to_le_bytes());
        if let NextPage::From(key) = &self.next {
            bytes.extend(write_primary_key(key));
        }
        bytes.extend(Fnv::of(&bytes).to_le_bytes());
        bytes
    }

    /// A point that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`ErrorKind::ResumePointVersion`] when a version wrote it that this one doesn't know;
    /// [`ErrorKind::ResumePointDamaged`] when it isn't what was written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::new(ErrorKind::ResumePointDamaged);
        // Every version begins with the version and ends with this checksum.
        let (content, checksum) = bytes.split_last_chunk().ok_or_else(damaged)?;
        if Fnv::of(content) != u64::from_le_bytes(*checksum) {
            return Err(damaged());
        }
        let (version, content) = content.split_first().ok_or_else(damaged)?;
        if *version != VERSION {
            return Err(Error::new(ErrorKind::ResumePointVersion));
        }
        let (fingerprint, key) = content.split_first_chunk().ok_or_else(damaged)?;
        let next = match key {
            [] => NextPage::Done,
            key => NextPage::From(read_primary_key(key).map_err(|_| damaged())?),
        };
        Ok(Self {
            fingerprint: u64::from_le_bytes(*fingerprint),
            next,
        })
    }
}

const VERSION: u8 = 1;

/// A hash of everything that decides which rows a range has and what they hold, except its start.
///
/// It is written down by programs, so it must stay the same over versions of this crate: field by
/// field, each after its own length, not as the encoded message, which may gain fields.
pub(crate) fn fingerprint(message: &GetRangeRequest) -> u64 {
    // Taken apart without `..`: whether a new field belongs in here is a decision.
    let GetRangeRequest {
        table_name,
        direction,
        columns_to_get,
        time_range,
        max_versions,
        limit: _,
        inclusive_start_primary_key: _,
        exclusive_end_primary_key,
        cache_blocks: _,
        filter,
        start_column,
        end_column,
        token: _,
        transaction_id: _,
        data_block_type_hint: _,
        return_entire_primary_keys,
        compress_type_hint: _,
    } = message;

    let mut columns: Vec<&str> = columns_to_get.iter().map(String::as_str).collect();
    // The service takes them as a set.
    columns.sort_unstable();
    columns.dedup();

    let mut hash = Fnv::default();
    hash.field(Some(table_name.as_bytes()));
    hash.number(Some(i64::from(*direction)));
    hash.field(Some(exclusive_end_primary_key));
    hash.number(i64::try_from(columns.len()).ok());
    for column in columns {
        hash.field(Some(column.as_bytes()));
    }
    hash.field(filter.as_deref());
    hash.field(start_column.as_deref().map(str::as_bytes));
    hash.field(end_column.as_deref().map(str::as_bytes));
    hash.number(max_versions.map(i64::from));
    let time_range = time_range.unwrap_or_default();
    let TimeRange {
        start_time,
        end_time,
        specific_time,
    } = time_range;
    for time in [start_time, end_time, specific_time] {
        hash.number(time);
    }
    // Absent means true.
    hash.number(Some(i64::from(return_entire_primary_keys.unwrap_or(true))));
    hash.0
}

/// FNV-1a with 64 bits: no secrets and no adversary here, and the same everywhere and for ever.
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn of(bytes: &[u8]) -> u64 {
        let mut hash = Self::default();
        hash.bytes(bytes);
        hash.0
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn field(&mut self, field: Option<&[u8]>) {
        self.number(field.and_then(|field| i64::try_from(field.len()).ok()));
        self.bytes(field.unwrap_or_default());
    }

    fn number(&mut self, number: Option<i64>) {
        self.bytes(&[u8::from(number.is_some())]);
        self.bytes(&number.unwrap_or_default().to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point() -> ResumePoint {
        let key = PrimaryKey::new().column("city", "杭州").column("id", 7);
        ResumePoint::new(0x0123_4567_89ab_cdef, NextPage::From(key))
    }

    #[test]
    fn bytes_and_back() {
        for point in [point(), ResumePoint::new(42, NextPage::Done)] {
            assert_eq!(ResumePoint::from_bytes(&point.to_bytes()).unwrap(), point);
        }
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(Fnv::of(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(Fnv::of(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn any_change_of_a_byte_and_any_cut_is_noticed() {
        let bytes = point().to_bytes();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[index] ^= 1 << bit;
                let error = ResumePoint::from_bytes(&damaged).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::ResumePointDamaged);
            }
            let error = ResumePoint::from_bytes(&bytes[..index]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ResumePointDamaged);
        }
    }

    #[test]
    fn a_later_version_is_told_apart_from_damage() {
        let mut bytes = point().to_bytes();
        bytes.truncate(bytes.len() - 8);
        bytes[0] = VERSION + 1;
        bytes.extend(Fnv::of(&bytes).to_le_bytes());
        let error = ResumePoint::from_bytes(&bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumePointVersion);
    }

    fn request() -> GetRangeRequest {
        GetRangeRequest {
            table_name: "orders".to_owned(),
            columns_to_get: vec!["a".to_owned(), "b".to_owned()],
            max_versions: Some(1),
            exclusive_end_primary_key: bytes::Bytes::from_static(b"end"),
            ..GetRangeRequest::default()
        }
    }

    #[test]
    fn the_hash_stays_the_same_over_versions() {
        // Written down by programs: if this changes, VERSION must too.
        assert_eq!(fingerprint(&request()), FINGERPRINT);
    }

    // Computed apart from this code, in Python.
    const FINGERPRINT: u64 = 0xecf4_9a63_22a7_1e81;

    #[test]
    fn the_hash_tells_ranges_apart_and_ignores_what_does_not_matter() {
        let change = |change: fn(&mut GetRangeRequest)| {
            let mut request = request();
            change(&mut request);
            fingerprint(&request) != fingerprint(&self::request())
        };
        assert!(change(|r| r.table_name = "order".to_owned()));
        assert!(change(|r| r.direction = 1));
        assert!(change(|r| r.exclusive_end_primary_key.truncate(2)));
        assert!(change(|r| r.columns_to_get = vec!["a".to_owned()]));
        assert!(change(|r| r.columns_to_get = vec!["ab".to_owned()]));
        assert!(change(|r| r.columns_to_get = Vec::new()));
        assert!(change(|r| r.filter = Some(bytes::Bytes::new())));
        assert!(change(|r| r.start_column = Some("a".to_owned())));
        assert!(change(|r| r.end_column = Some("a".to_owned())));
        assert!(change(|r| r.max_versions = Some(2)));
        assert!(change(|r| r.time_range = Some(TimeRange {
            start_time: Some(0),
            end_time: Some(5),
            specific_time: None
        })));
        assert!(change(|r| r.return_entire_primary_keys = Some(false)));

        assert!(!change(|r| r.columns_to_get.reverse()));
        assert!(!change(|r| r.columns_to_get.push("a".to_owned())));
        assert!(!change(|r| r.limit = Some(9)));
        assert!(!change(|r| r.transaction_id = Some("t".to_owned())));
        assert!(!change(|r| r.return_entire_primary_keys = Some(true)));
    }
}
