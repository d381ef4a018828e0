//! What is around the content of a checkpoint: what it is, its version, and a checksum.

/// A kind of checkpoint, in one version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame(&'static [u8]);

impl Frame {
    /// What it begins with; the last byte is the version.
    pub(crate) const fn new(magic: &'static [u8]) -> Self {
        Self(magic)
    }

    /// Bytes for the content to be [put](put) behind.
    pub(crate) fn begin(self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// The content is complete.
    pub(crate) fn seal(self, mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.extend(fnv(&bytes).to_le_bytes());
        bytes
    }

    /// The content of what was sealed so, or what is wrong with the bytes.
    pub(crate) fn open(self, bytes: &[u8]) -> Result<Content<'_>, &'static str> {
        let version = self.0.len().saturating_sub(1);
        let (kind, version) = self.0.split_at_checked(version).unwrap_or((self.0, &[]));
        match bytes.strip_prefix(kind) {
            None => return Err("it begins otherwise"),
            Some(rest) if !rest.starts_with(version) => {
                return Err("it was written by another version");
            }
            Some(_) => {}
        }
        let checked = bytes.split_last_chunk();
        let content = checked.filter(|(content, sum)| fnv(content).to_le_bytes() == **sum);
        let content = content.and_then(|(content, _)| content.get(self.0.len()..));
        content.map(Content).ok_or("its checksum doesn't fit")
    }
}

/// What is left of a content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Content<'a>(&'a [u8]);

impl<'a> Content<'a> {
    pub(crate) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// As many bytes as wanted.
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    /// What was [put](put) there.
    pub(crate) fn part(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

/// Appends a part of any length.
///
/// Ids, tokens and keys are far below four gigabytes; what isn't would be cut, and refused when it is
/// read.
pub(crate) fn put(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_le_bytes());
    bytes.extend(part);
}

/// FNV-1a: finds accidents, not forgery.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: Frame = Frame::new(b"orders 1");

    #[test]
    fn parts_come_back_one_by_one_and_no_further() {
        let mut bytes = ORDERS.begin();
        put(&mut bytes, b"first");
        put(&mut bytes, b"");
        bytes.extend(7_u32.to_le_bytes());
        let bytes = ORDERS.seal(bytes);
        let mut content = ORDERS.open(&bytes).unwrap();
        assert_eq!(content.part(), Some(&b"first"[..]));
        assert_eq!(content.part(), Some(&b""[..]));
        assert_eq!((content.number(), content.is_empty()), (Some(7), true));
        assert_eq!((content.number(), content.part()), (None, None));
    }

    #[test]
    fn a_length_beyond_the_content_takes_nothing() {
        let mut bytes = ORDERS.begin();
        bytes.extend(u32::MAX.to_le_bytes());
        let bytes = ORDERS.seal(bytes);
        assert_eq!(ORDERS.open(&bytes).unwrap().part(), None);
    }

    #[test]
    fn other_kinds_and_versions_are_told_apart_from_damage() {
        let sealed = ORDERS.seal(ORDERS.begin());
        assert!(ORDERS.open(&sealed).unwrap().is_empty());
        for (frame, problem) in [
            (Frame::new(b"flights 1"), "it begins otherwise"),
            (Frame::new(b"orders 2"), "it was written by another version"),
        ] {
            assert_eq!(frame.open(&sealed).unwrap_err(), problem);
        }
        for cut in [ORDERS.begin().len(), sealed.len() - 1] {
            let problem = ORDERS.open(&sealed[..cut]).unwrap_err();
            assert_eq!(problem, "its checksum doesn't fit");
        }
    }
}
