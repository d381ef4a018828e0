//! Arrays as the service keeps them: JSON text in a STRING column.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, SeqAccess, Visitor};

/// One element of an array.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Element<'a> {
    Integer(i64),
    /// Also an integer that fits no i64.
    Double(f64),
    Boolean(bool),
    Text(&'a str),
}

/// Calls `each` with the elements in order, as long as it says true.
///
/// True if the text is a JSON array of scalars to its end and `each` said true every time. Nothing is
/// allocated but for texts with escapes.
pub(crate) fn all_elements(text: &str, each: impl FnMut(Element<'_>) -> bool) -> bool {
    let mut json = serde_json::Deserializer::from_str(text);
    json.deserialize_seq(Elements(each)).is_ok() && json.end().is_ok()
}

struct Elements<F>(F);

impl<'de, F: FnMut(Element<'_>) -> bool> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of scalars")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(One(&mut self.0))?.is_some() {}
        Ok(())
    }
}

struct One<'f, F>(&'f mut F);

impl<F: FnMut(Element<'_>) -> bool> One<'_, F> {
    fn take<E: de::Error>(self, element: Element<'_>) -> Result<(), E> {
        if (self.0)(element) {
            Ok(())
        } else {
            Err(E::custom("an element of another type"))
        }
    }
}

impl<'de, F: FnMut(Element<'_>) -> bool> DeserializeSeed<'de> for One<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Element<'_>) -> bool> Visitor<'de> for One<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a scalar")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.take(Element::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.take(Element::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        self.take(i64::try_from(value).map_or(Element::Double(value as f64), Element::Integer))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        self.take(Element::Double(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        self.take(Element::Text(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> Option<Vec<String>> {
        let mut seen = Vec::new();
        let whole = all_elements(text, |element| {
            seen.push(format!("{element:?}"));
            true
        });
        whole.then_some(seen)
    }

    #[test]
    fn arrays_of_scalars_are_read_in_order() {
        assert_eq!(elements("[]"), Some(vec![]));
        assert_eq!(
            elements(r#"[1, -2,3.5 ,true,"a\"é"]"#).unwrap(),
            [
                "Integer(1)",
                "Integer(-2)",
                "Double(3.5)",
                "Boolean(true)",
                r#"Text("a\"é")"#
            ]
        );
    }

    #[test]
    fn anything_else_is_no_array() {
        for text in [
            "", "1", "[1", "[1]]", "[1,]", "[[1]]", "[{}]", "[null]", "{}",
        ] {
            assert_eq!(elements(text), None, "{text}");
        }
    }

    #[test]
    fn a_refused_element_ends_the_reading() {
        let mut seen = 0;
        let whole = all_elements("[1,2,3]", |_| {
            seen += 1;
            seen < 2
        });
        assert!(!whole);
        assert_eq!(seen, 2);
    }
}
