//! The checksum: crc8 with polynomial x^8 + x^2 + x + 1, most significant bit first, from zero.

/// A running crc8.
///
/// ```
/// use ots_proto::plainbuffer::Crc8;
///
/// let mut crc = Crc8::default();
/// crc.update(b"123456789");
/// assert_eq!(crc.finish(), 0xf4);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crc8(u8);

impl Crc8 {
    /// Continues from a checksum computed earlier.
    #[must_use]
    pub const fn resume(crc: u8) -> Self {
        Self(crc)
    }

    /// Feeds bytes.
    ///
    /// Eight at a time: a crc is linear, so the checksum of a block is the exclusive or of what each
    /// byte contributes at its distance from the end. Eight independent look-ups then take the place
    /// of eight that wait for one another.
    #[expect(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
    #[inline]
    pub fn update(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<8>();
        let mut crc = self.0;
        for &[b0, b1, b2, b3, b4, b5, b6, b7] in blocks {
            crc = TABLES[7][(b0 ^ crc) as usize]
                ^ TABLES[6][b1 as usize]
                ^ TABLES[5][b2 as usize]
                ^ TABLES[4][b3 as usize]
                ^ TABLES[3][b4 as usize]
                ^ TABLES[2][b5 as usize]
                ^ TABLES[1][b6 as usize]
                ^ TABLES[0][b7 as usize];
        }
        for &byte in rest {
            crc = TABLES[0][(crc ^ byte) as usize];
        }
        self.0 = crc;
    }

    /// Feeds one byte.
    #[expect(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
    #[inline]
    pub fn update_byte(&mut self, byte: u8) {
        self.0 = TABLES[0][(self.0 ^ byte) as usize];
    }

    /// The checksum of everything fed so far.
    #[must_use]
    pub const fn finish(self) -> u8 {
        self.0
    }
}

/// `TABLES[n][b]` is the checksum of the byte `b` followed by `n` zero bytes.
static TABLES: [[u8; 256]; 8] = tables();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time: every index is a loop counter below the length"
)]
const fn tables() -> [[u8; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x80 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x07
            };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut distance = 1;
    while distance < 8 {
        let mut byte = 0;
        while byte < 256 {
            tables[distance][byte] = tables[0][tables[distance - 1][byte] as usize];
            byte += 1;
        }
        distance += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition: bit after bit.
    fn slow(crc: u8, bytes: &[u8]) -> u8 {
        bytes.iter().fold(crc, |crc, byte| {
            (0..8).fold(crc ^ byte, |crc, _| {
                if crc & 0x80 == 0 {
                    crc << 1
                } else {
                    (crc << 1) ^ 0x07
                }
            })
        })
    }

    #[test]
    fn blocks_and_bytes_agree_with_the_definition_at_every_length() {
        let bytes: Vec<u8> = (0..67_u8).map(|i| i.wrapping_mul(167) ^ 0x5a).collect();
        for start in 0..8 {
            for end in start..bytes.len() {
                let part = &bytes[start..end];
                let mut crc = Crc8::resume(0xc3);
                crc.update(part);
                assert_eq!(crc.finish(), slow(0xc3, part), "{start}..{end}");
            }
        }
    }

    #[test]
    fn a_byte_alone_is_a_slice_of_one() {
        for byte in 0..=u8::MAX {
            let mut alone = Crc8::resume(0x11);
            alone.update_byte(byte);
            let mut slice = Crc8::resume(0x11);
            slice.update(&[byte]);
            assert_eq!(alone, slice);
        }
    }
}
