//! Columns that nobody has declared.

use super::*;

/// A table whose last row has this in the place of `v`, or another column.
fn with_odd_last_row(first: &str, last: &str, rows: usize) -> Emulator {
    let emulator = Emulator::start();
    let text = "0123456789".repeat(10);
    let mut csv = format!("id,{first},text\n");
    for id in 0..rows {
        csv += &format!("{id},{id},{text}\n");
    }
    emulator.place.file("f.csv", csv);
    emulator
        .place
        .file("g.csv", format!("id,{last},text\n{rows},odd,x\n"));
    emulator
        .run("load --table t --create --key id f.csv")
        .succeeds();
    emulator.run("load --table t --key id g.csv").succeeds();
    emulator
}

#[test]
fn a_column_of_two_types_is_refused_before_anything_is_read() {
    let emulator = with_odd_last_row("v", "v", 100);
    let ran = emulator.run("export --table t --out o");
    assert_eq!(
        ran.only_fails(2),
        "export of table \"t\": column \"v\" is INTEGER and STRING in different rows, and a column of \
         a file has one type; choose others with --columns, or take --format jsonl, which needs no types"
    );
    assert!(!emulator.place.path().join("o").exists());
    // The ways out are ways out.
    emulator
        .run("export --table t --out a --columns text")
        .succeeds();
    emulator
        .run("export --table t --out b --format jsonl")
        .succeeds();
    assert_eq!(exported(&emulator, "b").len(), 101);
}

#[test]
fn a_value_that_turns_up_late_with_another_type_fails_and_is_never_null() {
    let emulator = with_odd_last_row("v", "v", ROWS);
    // One range after another, so that there is something to go on from.
    let words = "export --table t --out o --columns v:INTEGER --checkpoint-rows 5000 --parallel 1";
    let ran = emulator.run(words);
    let sentence = ran.only_fails(9);
    let place = " doesn't fit: row ";
    assert!(
        sentence.contains(" of them kept: page ") && sentence.contains(place),
        "{sentence}"
    );
    let what = ", column \"v\": expected a value of type INTEGER, found STRING; choose ";
    assert!(sentence.contains(what), "{sentence}");
    let advised = "; or put the row right and go on with: ";
    assert!(sentence.contains(advised), "{sentence}");
    assert_nothing_final(&emulator);
    // Put right, it goes on.
    emulator
        .place
        .file("g.csv", format!("id,v,text\n{ROWS},7,x\n"));
    emulator.run("load --table t --key id g.csv").succeeds();
    run_advised(&emulator, sentence).succeeds();
    assert_eq!(by("id", exported(&emulator, "o")).len(), ROWS + 1);
}

#[test]
fn a_column_that_turns_up_late_fails_unless_columns_were_chosen() {
    let emulator = with_odd_last_row("v", "w", ROWS);
    // Ranges, and so what is looked at, depend on sizes; the last row is in the last range, behind
    // what is looked at of it.
    let ran = emulator.run("export --table t --out o");
    let sentence = ran.only_fails(9);
    let what =
        " has a column \"w\", which the schema doesn't have; name the columns with --columns";
    assert!(sentence.contains(what), "{sentence}");
    emulator
        .run("export --table t --out p --columns v,w:STRING")
        .succeeds();
    assert_eq!(exported(&emulator, "p").len(), ROWS + 1);
}

#[test]
fn a_column_that_no_row_has_needs_its_type() {
    let emulator = Emulator::start().with_numbers("t", 10);
    let ran = emulator.run("export --table t --out o --columns city,size");
    assert_eq!(
        ran.only_fails(2),
        "export of table \"t\": none of 10 rows here and there has a column \"size\": if the name is \
         right, say its type, as in --columns size:STRING"
    );
    let ran = emulator.run("export --table t --out o --columns city,size:TEXT");
    assert_eq!(
        ran.only_fails(2),
        "export of table \"t\": none of 10 rows here and there has a column \"size:TEXT\": the types \
         are INTEGER, DOUBLE, BOOLEAN, STRING, BINARY, as in --columns size:STRING"
    );
    emulator
        .run("export --table t --out o --columns city,size:STRING")
        .succeeds();
}
