//! Signals, and what happens in the middle.

use super::*;

/// An export that hangs in the middle: two pages or so have been read.
fn hanging_export(emulator: &Emulator) -> (Stalling, Running) {
    let proxy = Stalling::new(emulator.port, 1_000_000);
    let words = "export --table t --index i --format csv --out o --restarts 0 --progress none \
                 --endpoint";
    let mut command = emulator.ots(words.split_whitespace());
    let export = Running::start(command.arg(proxy.endpoint()));
    proxy.stalls();
    (proxy, export)
}

/// The parts that an export is writing.
fn staged(emulator: &Emulator) -> Vec<String> {
    let mut names = emulator.place.names("o/.ots-export");
    names.retain(|name| name.starts_with("part-") && name.ends_with(".partial"));
    names
}

#[test]
fn an_interrupted_export_leaves_no_file_and_says_where_it_stopped() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (_proxy, export) = hanging_export(&emulator);
        assert_eq!(emulator.place.names("o"), [".ots-export"]);
        assert_eq!(staged(&emulator).len(), 3);
        export.signal(signal);
        let ran = export.ends();
        let sentence = ran.only_fails(code);
        let start = "export of index \"i\" of table \"t\" stopped after ";
        let rows = sentence.strip_prefix(start).unwrap();
        let rows = rows.strip_suffix(" rows; no file was left in o").unwrap();
        let rows: usize = rows.replace(',', "").parse().unwrap();
        assert!(rows < 30_000, "{sentence}");
        assert!(!emulator.place.path().join("o").exists());
    }
    // Nothing is in the way of another try.
    emulator
        .run("export --table t --index i --out o")
        .succeeds();
}

#[test]
fn a_command_can_be_interrupted_before_the_first_answer() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", "id\n1\n");
    for words in [
        "range --table t",
        "export --table t --index i --out o",
        "export --table t --out o",
        "load --table t --key id f.csv",
    ] {
        let proxy = Stalling::new(emulator.port, 1);
        let mut command = emulator.ots(words.split_whitespace());
        let running = Running::start(command.args(["--endpoint", &proxy.endpoint()]));
        proxy.stalls();
        running.signal("INT");
        let ran = running.ends();
        let sentence = ran.only_fails(130);
        assert!(
            sentence.ends_with(" stopped before the first row"),
            "{sentence}"
        );
    }
    assert!(!emulator.place.path().join("o").exists());
}

#[test]
fn an_interrupted_range_says_how_many_rows_it_printed() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    let proxy = Stalling::new(emulator.port, 2_000_000);
    let mut command = emulator.ots(["range", "--table", "t", "--endpoint", &proxy.endpoint()]);
    let out = File::create(emulator.place.path().join("rows")).unwrap();
    let range = Running::start(command.stdout(out));
    proxy.stalls();
    range.signal("INT");
    let ran = range.ends();
    let rows = fs::read_to_string(emulator.place.path().join("rows")).unwrap();
    let printed = common::grouped(rows.lines().count());
    let expected = format!("range of table \"t\" stopped after {printed} rows");
    assert_eq!(ran.only_fails(130), expected);
    assert!(rows.is_empty() || rows.ends_with('\n'), "lines are whole");
}

#[test]
fn an_interrupted_load_says_what_is_written_and_what_may_be() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", numbers(20_000));
    let proxy = Stalling::new(emulator.port, 20_000);
    let words = "load --table t --create --key id f.csv --progress none --endpoint";
    let mut command = emulator.ots(words.split_whitespace());
    let load = Running::start(command.arg(proxy.endpoint()));
    proxy.stalls();
    load.signal("INT");
    let ran = load.ends();
    let sentence = ran.only_fails(130);
    let counts = sentence
        .strip_prefix("load of f.csv into table \"t\" stopped after ")
        .unwrap();
    let end = " more may be written; run it again without --create to write all rows: writing a row \
               twice is harmless";
    let counts = counts.strip_suffix(end).unwrap();
    let (written, unknown) = counts.split_once(" rows; ").unwrap();
    let count = |text: &str| text.replace(',', "").parse::<usize>().unwrap();
    let (written, unknown) = (count(written), count(unknown));
    let there = emulator.run("range --table t").succeeds();
    let there = there.stdout.lines().count();
    assert!(
        (written..=written + unknown).contains(&there),
        "{sentence}: {there}"
    );
    assert!(written > 0 && unknown > 0 && unknown <= 800, "{sentence}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let emulator = Emulator::start();
    emulator.place.file("f.csv", numbers(20_000));
    let proxy = Stalling::new(emulator.port, 20_000);
    let words = "load --table t --create --key id f.csv --progress none --endpoint";
    let mut command = emulator.ots(words.split_whitespace());
    let load = Running::start(command.arg(proxy.endpoint()));
    proxy.stalls();
    // Both are there when it goes on, so that the time it gives the first plays no part; which of
    // them it takes as the second is for it to choose.
    for signal in ["STOP", "TERM", "INT", "CONT"] {
        load.signal(signal);
    }
    let Ran { code, stderr, .. } = load.ends();
    assert!(matches!(code, Some(130 | 143)), "{code:?}: {stderr}");
    let start =
        "ots: stopped at once: an export may leave a hidden folder .ots-export behind, with what ";
    assert!(stderr.starts_with(start), "{stderr}");
}

#[test]
fn files_of_a_killed_export_are_in_nobodys_way() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    let (proxy, export) = hanging_export(&emulator);
    // Not while it runs: one of them would write over the other.
    let words = "export --table t --index i --format csv --out o";
    let expected =
        "another process is writing to o/.ots-export; wait for it, or choose another --out";
    for index in ["--index i", ""] {
        let ran = emulator.run(&format!("export --table t {index} --out o"));
        assert!(ran.only_fails(8).ends_with(expected), "{}", ran.stderr);
    }
    export.signal("KILL");
    assert_eq!(export.ends().code, None);
    drop(proxy);
    assert_eq!(staged(&emulator).len(), 3);
    emulator.run(words).succeeds();
    assert_eq!(emulator.place.parts("o").len(), 3);
}

#[test]
fn a_directory_that_was_there_stays_when_an_export_fails() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    fs::create_dir(emulator.place.path().join("o")).unwrap();
    let (_proxy, export) = hanging_export(&emulator);
    export.signal("INT");
    export.ends().only_fails(130);
    assert_eq!(emulator.place.names("o"), [""; 0]);
}

#[test]
fn a_count_that_hangs_does_not_hold_up_the_export() {
    let emulator = Emulator::start().with_numbers("t", 100);
    let proxy = Stalling::at("/Search", emulator.port);
    let words = "export --table t --index i --format csv --out o --endpoint";
    let mut command = emulator.ots(words.split_whitespace());
    let said = run(command.arg(proxy.endpoint())).succeeds().stderr;
    assert!(said.starts_with("exported 100 rows in "), "{said}");
}

#[test]
fn a_session_that_expires_in_the_middle_leaves_no_file() {
    let emulator = Emulator::start().with_numbers("t", 30_000);
    let (proxy, export) = hanging_export(&emulator);
    assert_eq!(staged(&emulator).len(), 3);
    // With the index all its sessions go.
    delete_index(&emulator, "t", "i");
    proxy.goes_on();
    let ran = export.ends();
    let sentence = ran.only_fails(6);
    let start = "export: ParallelScan on index \"i\" of table \"t\": ";
    assert!(sentence.starts_with(start), "{sentence}");
    assert!(
        sentence.contains(" session expired on split "),
        "{sentence}"
    );
    let end = "; run the command again: it starts with a new session";
    assert!(sentence.ends_with(end), "{sentence}");
    assert!(!emulator.place.path().join("o").exists());
}

fn delete_index(emulator: &Emulator, table: &str, index: &str) {
    let credentials = Credentials::new("ots-local", "ots-local-secret");
    let client = Client::builder(emulator.endpoint())
        .instance("local")
        .credentials(credentials);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let delete = async {
        client
            .build()?
            .send(DeleteSearchIndex::new(table, index))
            .await
    };
    runtime
        .enable_all()
        .build()
        .unwrap()
        .block_on(delete)
        .unwrap();
}
