//! The numbers of the fields in a protobuf message, as they stand in its bytes.
//!
//! A decoded message no longer tells a missing required field from an empty one, and has forgotten
//! fields it doesn't know. A filter is too small and too literal to be understood in part.

use super::error::FilterErrorKind;

/// Fields that a message may have: number, name, whether it must be there.
pub(super) type Fields = &'static [(u32, &'static str, bool)];

/// Checks that a message holds its required fields, and none that is unknown.
///
/// The bytes must already have been decoded as a message: what isn't well-formed is passed over.
pub(super) fn check(
    message: &'static str,
    fields: Fields,
    buffer: &[u8],
) -> Result<(), FilterErrorKind> {
    let mut seen = 0_u64;
    let mut rest = buffer;
    while let Some(number) = next_number(&mut rest) {
        if !fields.iter().any(|(known, ..)| *known == number) {
            return Err(FilterErrorKind::UnknownField { message, number });
        }
        seen |= 1_u64.checked_shl(number).unwrap_or_default();
    }
    for (number, field, required) in fields {
        if *required && seen & 1_u64.checked_shl(*number).unwrap_or_default() == 0 {
            return Err(FilterErrorKind::Missing { message, field });
        }
    }
    Ok(())
}

/// Steps over a field, and gives its number.
fn next_number(rest: &mut &[u8]) -> Option<u32> {
    let key = varint(rest)?;
    let number = u32::try_from(key >> 3).ok()?;
    let length = match key & 7 {
        0 => {
            varint(rest)?;
            0
        }
        1 => 8,
        2 => usize::try_from(varint(rest)?).ok()?,
        5 => 4,
        // A group: none of ours, so the number is all that matters.
        _ => 0,
    };
    *rest = rest.get(length..)?;
    Some(number)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: Fields = &[(1, "one", true), (2, "two", false), (16, "sixteen", true)];

    fn text(buffer: &[u8]) -> String {
        match check("Thing", FIELDS, buffer) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn required_fields_must_be_there_and_unknown_ones_must_not() {
        // A varint of two bytes, a text, and a number of eight bytes under a key of two.
        let one = [0x08, 0x80, 0x01];
        let two = [0x12, 0x02, b'h', b'i'];
        let sixteen = [0x81, 0x01, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(text(&[&one[..], &two, &sixteen].concat()), "");
        assert_eq!(text(&[&sixteen[..], &one].concat()), "");
        assert_eq!(text(&[&one[..], &two].concat()), "a Thing has no sixteen");
        assert_eq!(text(&sixteen), "a Thing has no one");
        for unknown in [
            &[0x1d, 0, 0, 0, 0][..],
            &[0x1a, 0],
            &[0x1b, 0x1c],
            &[0x18, 0],
        ] {
            let buffer = [&one[..], unknown, &sixteen].concat();
            assert_eq!(text(&buffer), "a Thing has a field 3, which is unknown");
        }
    }
}
