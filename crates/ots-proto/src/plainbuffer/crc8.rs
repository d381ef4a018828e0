//! The checksum: crc8 with polynomial x^8 + x^2 + x + 1, most significant bit first, from zero.
//!
//! Never byte by byte, and without special instructions: the algebra of this polynomial is kind.
//! It is (x + 1) times a primitive polynomial of degree 7, so x^127 = 1, and with it
//!
//! - a byte moved by 127 bytes contributes the same: blocks of 127 bytes may be *added up* (by
//!   exclusive or) before the checksum of the sum is taken, at the speed of memory;
//! - a byte moved by 16 bytes contributes x times as much (16 * 8 = 128 bits): blocks of 16 bytes
//!   are added up with a shift by one bit between them, in a few vector instructions.
//!
//! What is left at the end is one block of 16 bytes: sixteen look-ups that don't wait for one
//! another. The loops are written so that the compiler makes vector code of them on every target.

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
    #[inline]
    pub fn update(&mut self, bytes: &[u8]) {
        self.0 = self.sum(bytes);
    }

    /// Feeds one byte.
    #[inline(always)]
    pub fn update_byte(&mut self, byte: u8) {
        self.0 = at(0, self.0 ^ byte);
    }

    /// Feeds eight bytes.
    #[inline(always)]
    pub(super) fn update_8(&mut self, bytes: [u8; 8]) {
        self.0 = block_8(u64::from_le_bytes(bytes) ^ u64::from(self.0));
    }

    /// Feeds a type byte and eight bytes of data.
    #[inline(always)]
    pub(super) fn update_typed(&mut self, type_byte: u8, data: [u8; 8]) {
        // The state and the first byte are eight bytes away from the end.
        self.0 = at(8, self.0 ^ type_byte) ^ block_8(u64::from_le_bytes(data));
    }

    /// Feeds a type byte and a truth value.
    #[inline(always)]
    pub(super) fn update_2(&mut self, a: u8, b: u8) {
        self.0 = at(1, self.0 ^ a) ^ at(0, b);
    }

    /// Feeds the type and the length of a text.
    #[inline(always)]
    pub(super) fn update_5(&mut self, a: u8, [b, c, d, e]: [u8; 4]) {
        self.0 = (at(4, self.0 ^ a) ^ at(3, b)) ^ (at(2, c) ^ at(1, d)) ^ at(0, e);
    }

    /// Feeds eight bytes whose own checksum, from zero, is known: the checksum is linear, so what
    /// came before is moved on by eight bytes and the rest is added.
    #[inline(always)]
    pub(super) fn update_8_known(&mut self, checksum: u8) {
        self.0 = at(7, self.0) ^ checksum;
    }

    /// The checksum of everything fed so far.
    #[must_use]
    pub const fn finish(self) -> u8 {
        self.0
    }

    /// What the checksum is after these bytes. From value to value, so that who calls it in the midst of
    /// other work keeps that work in registers.
    ///
    /// Zeros in front change nothing, so four bytes and more are put at the end of whole blocks, and
    /// the state is added to the first of them.
    #[inline(never)]
    fn sum(self, bytes: &[u8]) -> u8 {
        match *bytes {
            [] => return self.0,
            [a] => return at(0, self.0 ^ a),
            [a, b] => return at(1, self.0 ^ a) ^ at(0, b),
            [a, b, c] => return at(2, self.0 ^ a) ^ at(1, b) ^ at(0, c),
            _ => {}
        }
        let count = bytes.len();
        if let (Some(head), Some(tail)) = (bytes.first_chunk::<16>(), bytes.last_chunk::<16>()) {
            let head = u128::from_le_bytes(*head) ^ u128::from(self.0);
            return match count {
                16 => block_16(head),
                17..=32 => {
                    let first = head << (8 * (32 - count));
                    block_16(times_x(first) ^ u128::from_le_bytes(*tail))
                }
                33..LONG => self.rows_of_16(bytes),
                _ => self.rows_of_127(bytes),
            };
        }
        if let (Some(head), Some(tail)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
            let head = u64::from_le_bytes(*head) ^ u64::from(self.0);
            if count == 8 {
                return block_8(head);
            }
            let first = head << (8 * (16 - count));
            return block_8_before_8(first) ^ block_8(u64::from_le_bytes(*tail));
        }
        if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            // Both halves overlap, and agree where they do.
            let head = u64::from(u32::from_le_bytes(*head));
            let tail = u64::from(u32::from_le_bytes(*tail)) << (8 * (count - 4));
            return block_8(((head | tail) ^ u64::from(self.0)) << (8 * (8 - count)));
        }
        bytes.iter().fold(self.0, |crc, byte| at(0, crc ^ byte))
    }

    /// Blocks of 16 bytes, the first of them filled up with zeros in front.
    fn rows_of_16(self, bytes: &[u8]) -> u8 {
        let Some(head) = bytes.first_chunk::<16>() else {
            return self.0;
        };
        let in_first = (bytes.len() - 1) % 16 + 1;
        let head = u128::from_le_bytes(*head) ^ u128::from(self.0);
        let first = (head << (8 * (16 - in_first))).to_le_bytes();
        let (_, rest) = bytes.split_at(in_first);
        let (blocks, _) = rest.as_chunks::<16>();
        sum_of_16(first, blocks)
    }

    /// Blocks of 127 bytes, the first of them filled up with zeros in front.
    #[inline(never)]
    fn rows_of_127(self, bytes: &[u8]) -> u8 {
        let in_first = (bytes.len() - 1) % PERIOD + 1;
        // Each block is taken with the byte before it, so that the vectors come out even. What
        // gathers in that place is not part of the sum.
        let (first, _) = bytes.split_at(in_first);
        let (_, mut rest) = bytes.split_at(in_first - 1);
        let mut sum = [0; PERIOD + 1];
        while let Some(block) = rest.first_chunk::<{ PERIOD + 1 }>() {
            for (sum, byte) in sum.iter_mut().zip(block) {
                *sum ^= byte;
            }
            (_, rest) = rest.split_at(PERIOD);
        }
        let mut padded = [0; PERIOD + 1];
        let (zeros, end) = padded.split_at_mut(PERIOD + 1 - in_first);
        end.copy_from_slice(first);
        if let (Some(byte), [place, ..]) = (end.first_mut(), zeros) {
            *byte ^= self.0;
            // The place of the bytes before the blocks.
            *place = *sum.first().unwrap_or(&0);
        }
        for (sum, byte) in sum.iter_mut().zip(padded) {
            *sum ^= byte;
        }
        let (blocks, _) = sum.as_chunks::<16>();
        sum_of_16([0; 16], blocks)
    }
}

/// The checksum of a first block and those after it.
#[inline]
fn sum_of_16(first: [u8; 16], blocks: &[[u8; 16]]) -> u8 {
    let sum = blocks
        .iter()
        .fold(first, |sum, block| add(each_times_x(sum), *block));
    block_16(u128::from_le_bytes(sum))
}

/// Every byte times x, as a loop that becomes vector code.
#[inline]
fn each_times_x(mut block: [u8; 16]) -> [u8; 16] {
    for byte in &mut block {
        let carry = if *byte & 0x80 == 0 { 0 } else { POLYNOMIAL };
        *byte = (*byte << 1) ^ carry;
    }
    block
}

#[inline]
fn add(mut sum: [u8; 16], block: [u8; 16]) -> [u8; 16] {
    for (sum, byte) in sum.iter_mut().zip(block) {
        *sum ^= byte;
    }
    sum
}

/// From here on blocks of 127 bytes are faster than those of 16.
const LONG: usize = 256;

/// The distance in bytes after which contributions repeat: 127 * 8 bits, and x^127 = 1.
const PERIOD: usize = 127;

/// Every byte times x, in one number.
#[inline]
const fn times_x(block: u128) -> u128 {
    const ONES: u128 = u128::MAX / 0xff;
    let carries = (block >> 7) & ONES;
    ((block << 1) & !ONES) ^ carries ^ (carries << 1) ^ (carries << 2)
}

/// The checksum of eight bytes, the first of them in the lowest bits.
#[inline(always)]
fn block_8(block: u64) -> u8 {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = block.to_le_bytes();
    (at(7, b0) ^ at(6, b1))
        ^ (at(5, b2) ^ at(4, b3))
        ^ (at(3, b4) ^ at(2, b5))
        ^ (at(1, b6) ^ at(0, b7))
}

/// The checksum of eight bytes, the first of them in the lowest bits, and eight zeros after them.
#[inline(always)]
fn block_8_before_8(block: u64) -> u8 {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = block.to_le_bytes();
    (at(15, b0) ^ at(14, b1))
        ^ (at(13, b2) ^ at(12, b3))
        ^ (at(11, b4) ^ at(10, b5))
        ^ (at(9, b6) ^ at(8, b7))
}

/// The checksum of sixteen bytes, the first of them in the lowest bits.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
fn block_16(block: u128) -> u8 {
    block_8_before_8(block as u64) ^ block_8((block >> 64) as u64)
}

/// The checksum of `byte` followed by `distance` zero bytes.
#[expect(
    clippy::indexing_slicing,
    reason = "a byte indexes a table of 256; every distance is a constant below 16"
)]
#[inline(always)]
fn at(distance: usize, byte: u8) -> u8 {
    TABLES[distance][byte as usize]
}

const POLYNOMIAL: u8 = 0x07;

/// `TABLES[n][b]` is the checksum of the byte `b` followed by `n` zero bytes.
static TABLES: [[u8; 256]; 16] = tables();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time: every index is a loop counter below the length"
)]
const fn tables() -> [[u8; 256]; 16] {
    let mut tables = [[0; 256]; 16];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x80 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ POLYNOMIAL
            };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut distance = 1;
    while distance < 16 {
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

    fn fast(crc: u8, bytes: &[u8]) -> u8 {
        let mut running = Crc8::resume(crc);
        running.update(bytes);
        running.finish()
    }

    fn noise(count: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn x_to_the_127_is_one_and_no_smaller_power_is() {
        // One more bit of zeros is one more factor of x.
        let times_x = |byte: u8| times_x(u128::from(byte)).to_le_bytes()[0];
        let powers: Vec<u8> = (0..128)
            .scan(1, |power, _| {
                let this = *power;
                *power = times_x(this);
                Some(this)
            })
            .collect();
        assert_eq!(powers[127], 1);
        assert!(powers[1..127].iter().all(|power| *power != 1));
    }

    #[test]
    fn every_length_start_and_state_agree_with_the_definition() {
        let bytes = noise(1_400);
        for length in 0..=1_300 {
            let start = length % 17;
            let part = &bytes[start..start + length];
            for state in [0, 0x01, 0xc3] {
                assert_eq!(
                    fast(state, part),
                    slow(state, part),
                    "{length} from {start}"
                );
            }
        }
        for start in 0..64 {
            for length in [
                0, 7, 8, 15, 16, 17, 31, 32, 33, 127, 128, 254, 255, 256, 257, 381,
            ] {
                let part = &bytes[start..start + length];
                assert_eq!(fast(0x5a, part), slow(0x5a, part), "{length} from {start}");
            }
        }
    }

    #[test]
    fn one_bit_at_every_place_of_every_length_has_its_own_weight() {
        // The checksum is linear: right on every single bit means right on everything.
        for length in (1..70).chain([127, 128, 255, 256, 257, 511, 640]) {
            let mut bytes = vec![0; length];
            for place in 0..length {
                for bit in 0..8 {
                    bytes[place] = 1 << bit;
                    assert_eq!(fast(0, &bytes), slow(0, &bytes), "{length}: {place}.{bit}");
                }
                bytes[place] = 0;
            }
        }
    }

    #[test]
    fn every_state_is_carried_over_every_length() {
        let zeros = [0; 400];
        for length in (0..70).chain([255, 256, 257, 400]) {
            for state in 0..=u8::MAX {
                let part = &zeros[..length];
                assert_eq!(
                    fast(state, part),
                    slow(state, part),
                    "{state} over {length}"
                );
            }
        }
    }

    #[test]
    fn a_megabyte_agrees_too() {
        let bytes = noise(1 << 20);
        assert_eq!(fast(0, &bytes), slow(0, &bytes));
    }

    #[test]
    fn the_pieces_of_a_cell_are_slices_like_any_other() {
        let bytes = noise(9 * 64);
        for piece in bytes.chunks_exact(9) {
            let (type_byte, data) = (piece[0], piece[1..].try_into().unwrap());
            let mut typed = Crc8::resume(0x11);
            typed.update_typed(type_byte, data);
            assert_eq!(typed.finish(), slow(0x11, piece));
            let mut five = Crc8::resume(0x11);
            five.update_5(type_byte, piece[1..5].try_into().unwrap());
            assert_eq!(five.finish(), slow(0x11, &piece[..5]));
            let mut two = Crc8::resume(0x11);
            two.update_2(type_byte, piece[1]);
            assert_eq!(two.finish(), slow(0x11, &piece[..2]));

            let mut eight = Crc8::resume(0x11);
            eight.update_8(data);
            let mut known = Crc8::resume(0x11);
            known.update_8_known(slow(0, &data));
            assert_eq!(eight.finish(), slow(0x11, &data));
            assert_eq!(known, eight);
        }
        for byte in 0..=u8::MAX {
            let mut alone = Crc8::resume(0x11);
            alone.update_byte(byte);
            assert_eq!(alone.finish(), slow(0x11, &[byte]));
        }
    }
}
