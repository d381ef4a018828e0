//! What the macros refuse, word for word and at the field.

/// Only errors of the macros' own: the compiler's texts change with its version.
#[test]
fn mistakes_are_named_at_the_field() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
