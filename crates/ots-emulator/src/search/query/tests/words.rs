//! Words in a text.

use super::*;

#[test]
fn match_wants_words() {
    let cells = [
        ("x", ColumnValue::from("Hello 梨花茶, wide World")),
        ("l", 28.into()),
        ("b", true.into()),
        ("k", "Hello World".into()),
    ];
    let words = |text: &str| Query::match_text("x", text);
    let all = ots_proto::search::QueryOperator::And;
    for (query, expected) in [
        (words("hello"), true),
        (words("nothing HELLO"), true),
        (words("nothing at all"), false),
        (words("梨"), true),
        (words(""), false),
        (words("hello world none").minimum_should_match(2), true),
        (words("hello world none").minimum_should_match(3), false),
        // A word twice is one word.
        (words("hello hello").minimum_should_match(2), false),
        (words("hello world").operator(all), true),
        (
            words("hello none").operator(all).minimum_should_match(1),
            false,
        ),
        (Query::match_text("l", "28"), true),
        (Query::match_text("b", "true"), true),
        (Query::match_text("k", "Hello World"), true),
        (Query::match_text("k", "Hello"), false),
    ] {
        assert_eq!(matches(query.clone(), &cells), expected, "{query:?}");
    }
}

#[test]
fn a_phrase_wants_words_one_after_another() {
    let cells = [
        ("x", ColumnValue::from("one two, three two four")),
        ("k", "a b".into()),
    ];
    for (field, text, expected) in [
        ("x", "two", true),
        ("x", "Two Three", true),
        ("x", "two four", true),
        ("x", "three four", false),
        ("x", "two one", false),
        ("x", "", false),
        ("k", "a b", true),
        ("k", "a", false),
    ] {
        assert_eq!(
            matches(Query::match_phrase(field, text), &cells),
            expected,
            "{text}"
        );
    }
}

#[test]
fn the_words_of_a_phrase_may_be_moved_by_its_slop() {
    let cells = [("x", ColumnValue::from("one two, three four"))];
    for (text, slop, expected) in [
        ("one three", 0, false),
        ("one three", 1, true),
        ("two one", 1, false),
        ("two one", 2, true),
        ("one five", 9, false),
    ] {
        let query = MatchPhraseQuery::new("x", text).slop(slop);
        assert_eq!(matches(query, &cells), expected, "{text} by {slop}");
    }
}

#[test]
fn fuzzy_text_is_found_by_its_parts() {
    let cells = [("z", ColumnValue::from("调音师1024x768P.mp4 ullamcor22per"))];
    for (query, expected) in [
        (Query::from(Query::match_text("z", "m")), false),
        (Query::match_text("z", "mc").into(), true),
        (Query::match_text("z", "MC none").into(), true),
        (Query::match_phrase("z", "调音").into(), true),
        (Query::match_phrase("z", "调音师1024x").into(), true),
        (Query::match_phrase("z", "24x768P.mp4").into(), true),
        (Query::match_phrase("z", "调 音").into(), false),
        (Query::match_phrase("z", "24x7 P.mp4").into(), false),
        (Query::term("z", "ullamco"), true),
        (Query::term("z", "ullamcor"), false),
    ] {
        assert_eq!(matches(query.clone(), &cells), expected, "{query:?}");
    }
}
