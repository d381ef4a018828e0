//! Wherever a commit ends, by a kill or by an error, there is all of an export or nothing.

use serde_json::json;

use super::*;
use crate::sink::Change;

const PARTS: usize = 2;

/// What is in a directory: names, and what the files hold.
fn content(directory: &Path) -> Vec<(String, String)> {
    let entries = entries(directory).unwrap_or_default().into_iter();
    let files = entries.filter(|(_, path)| path.is_file());
    let mut files: Vec<_> = files
        .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn asked() -> Map<String, Value> {
    json!({"table": "t"}).as_object().unwrap().clone()
}

/// A directory with or without files of an earlier export, and one to come.
struct World {
    place: tempfile::TempDir,
    out: PathBuf,
    before: Vec<(String, String)>,
}

impl World {
    fn new(has_old: bool) -> Self {
        let place = tempfile::tempdir().unwrap();
        let out = place.path().join("a/o");
        if has_old {
            fs::create_dir_all(&out).unwrap();
            // One whose name a new part takes, one whose name is free afterwards, and the mark.
            for name in ["part-00001-00000.jsonl", "part-00007-00000.jsonl", MARK] {
                fs::write(out.join(name), format!("old {name}")).unwrap();
            }
        }
        let before = content(&out);
        Self { place, out, before }
    }

    fn staging(&self) -> Staging {
        Staging::replacing(&self.out, Format::Jsonl, |path| {
            fs::read_to_string(path).unwrap().starts_with("old ")
        })
        .unwrap()
    }

    /// An export that is ready to be committed.
    fn staged(&self) -> (Staging, Vec<KeptPart>) {
        let staging = self.staging();
        let parts = (0..PARTS).map(|split| {
            let mut part = staging.parts().open(split, 0, None).unwrap();
            part.write_lines(&format!("new {split}\n"), 1).unwrap();
            part.finish().unwrap()
        });
        let parts: Vec<_> = parts.collect();
        let kept = staging.keep(parts);
        (staging, kept)
    }

    /// As after a kill behind so many steps of the commit; how many steps there are.
    fn killed_after(&self, done: usize) -> usize {
        let (mut staging, parts) = self.staged();
        let record = Record {
            asked: asked(),
            parts,
            replaced: staging.replaced.clone(),
        };
        record.write(&staging.folder).unwrap();
        let steps = record.steps(&staging.directory, &staging.folder);
        steps[..done]
            .iter()
            .for_each(|step| step.perform().unwrap());
        // The lock goes with the process, and nothing else does.
        staging.worth_keeping = true;
        staging.created.clear();
        steps.len()
    }

    #[track_caller]
    fn assert_whole(&self, context: &str) {
        let mut expected = vec![(MARK.to_owned(), String::new())];
        for split in 0..PARTS {
            let name = format!("part-{split:05}-00000.jsonl");
            expected.push((name, format!("new {split}\n")));
        }
        assert_eq!(content(&self.out), expected, "{context}");
        assert!(!self.out.join(FOLDER).exists(), "{context}");
    }

    /// As it was before, and no trace.
    #[track_caller]
    fn assert_untouched(&self, context: &str) {
        assert_eq!(content(&self.out), self.before, "{context}");
        assert!(!self.out.join(FOLDER).exists(), "{context}");
        assert_eq!(self.out.exists(), !self.before.is_empty(), "{context}");
    }
}

fn steps(has_old: bool) -> usize {
    let steps = World::new(has_old).killed_after(0);
    let old = if has_old { 3 } else { 0 };
    assert_eq!(steps, old + PARTS + 3);
    steps
}

fn broken() -> Error {
    Error::io("do", Path::new("it"), io::Error::other("broken"))
}

#[test]
fn a_commit_that_is_killed_anywhere_is_finished_by_the_next_export() {
    for has_old in [false, true] {
        for done in 0..=steps(has_old) {
            let world = World::new(has_old);
            world.killed_after(done);
            let context = format!("{done}, {has_old}");
            // Nobody begins another before that.
            let error = Staging::replacing(&world.out, Format::Jsonl, |_| true).unwrap_err();
            assert!(
                matches!(error.kind(), ErrorKind::Undecided { .. }),
                "{error}"
            );
            let recovered = Staging::recover(&world.out).unwrap().unwrap();
            assert_eq!(recovered.asked, asked(), "{context}");
            assert_eq!(recovered.parts.len(), PARTS, "{context}");
            world.assert_whole(&context);
            assert_eq!(Staging::recover(&world.out).unwrap(), None, "{context}");
        }
    }
}

#[test]
fn finishing_it_can_be_killed_anywhere_too() {
    let steps = steps(true);
    for (first, second) in (0..=steps).flat_map(|a| (0..=steps).map(move |b| (a, b))) {
        let world = World::new(true);
        world.killed_after(first);
        let folder = world.out.join(FOLDER);
        let record = Record::read(&folder).unwrap().unwrap();
        let steps = record.steps(&world.out, &folder);
        steps[..second]
            .iter()
            .for_each(|step| step.perform().unwrap());
        Staging::recover(&world.out).unwrap().unwrap();
        world.assert_whole(&format!("{first}, {second}"));
    }
}

#[test]
fn a_commit_that_fails_anywhere_leaves_all_as_it_was() {
    for has_old in [false, true] {
        for failing in 0..steps(has_old) {
            let world = World::new(has_old);
            let (staging, parts) = world.staged();
            let mut done = 0;
            let result = staging.commit_by(parts, asked(), |step| {
                done += 1;
                if done > failing {
                    return Err(broken());
                }
                step.perform()
            });
            let error = result.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Io { .. }), "{error}");
            world.assert_untouched(&format!("{failing}, {has_old}"));
        }
    }
}

#[test]
fn finishing_it_fails_without_a_file_and_can_be_tried_again() {
    for done in 0..=steps(true) {
        let world = World::new(true);
        world.killed_after(done);
        // A stranger is in the way of what is still to come, or of nothing any more.
        let stranger = world.out.join("part-00000-00000.jsonl");
        if stranger.exists() {
            continue;
        }
        fs::write(&stranger, "theirs").unwrap();
        let error = Staging::recover(&world.out).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::AlreadyThere { path } if *path == stranger));
        let mut expected = world.before.clone();
        expected.push(("part-00000-00000.jsonl".to_owned(), "theirs".to_owned()));
        expected.sort();
        assert_eq!(content(&world.out), expected, "{done}");
        fs::remove_file(stranger).unwrap();
        Staging::recover(&world.out).unwrap().unwrap();
        world.assert_whole(&done.to_string());
    }
}

#[test]
fn an_export_that_cannot_become_whole_is_given_up() {
    for has_old in [false, true] {
        for done in 0..=steps(has_old) {
            let world = World::new(has_old);
            world.killed_after(done);
            let name = "part-00000-00000.jsonl";
            let staged = staged(&world.out.join(FOLDER), name);
            let (path, is_named) = match staged.exists() {
                true => (staged, false),
                false => (world.out.join(name), true),
            };
            // One bit: the size is as it was.
            fs::write(&path, "nev 0\n").unwrap();
            let error = Staging::recover(&world.out).unwrap_err();
            let ErrorKind::Changed { path: told, change } = error.kind() else {
                panic!("{error}");
            };
            assert_eq!(*told, path);
            assert!(matches!(change, Change::Content { .. }), "{change}");
            // What was changed may be anyone's, and stays.
            let mut expected = world.before.clone();
            if is_named {
                expected.push((name.to_owned(), "nev 0\n".to_owned()));
                expected.sort();
            }
            assert_eq!(content(&world.out), expected, "{done}, {has_old}");
            assert_eq!(Staging::recover(&world.out).unwrap(), None);
            fs::remove_file(&path).ok();
            let (staging, parts) = world.staged();
            staging.commit(parts, asked()).unwrap();
            world.assert_whole(&format!("{done}, {has_old}"));
        }
    }
}

#[test]
fn a_commit_that_can_neither_go_on_nor_back_is_left_for_the_next_export() {
    let world = World::new(false);
    let (staging, parts) = world.staged();
    let folder = staging.folder.clone();
    let elsewhere = world.place.path().join("elsewhere");
    let result = staging.commit_by(parts, asked(), |step| match step {
        // The folder is away for a while, as with a disk that hangs.
        Step::Mark(_) => {
            fs::rename(&folder, &elsewhere).unwrap();
            Err(broken())
        }
        step => step.perform(),
    });
    let error = result.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Undecided { .. }),
        "{error}"
    );
    fs::rename(elsewhere, folder).unwrap();
    Staging::recover(&world.out).unwrap().unwrap();
    world.assert_whole("");
}

#[test]
fn an_export_that_is_under_way_is_left_alone() {
    let world = World::new(false);
    let (staging, parts) = world.staged();
    assert_eq!(Staging::recover(&world.out).unwrap(), None);
    let error = Staging::begin(&world.out, Format::Jsonl).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InUse { .. }), "{error}");
    let result = staging.commit_by(parts, asked(), |step| {
        // At every moment of its commit.
        let error = Staging::recover(&world.out).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::InUse { .. }), "{error}");
        // It has names to show by now, or it is in use: in no case is it begun.
        let error = Staging::begin(&world.out, Format::Jsonl).unwrap_err();
        let is_refused = matches!(
            error.kind(),
            ErrorKind::InUse { .. } | ErrorKind::AlreadyThere { .. }
        );
        assert!(is_refused, "{error}");
        step.perform()
    });
    result.unwrap();
    world.assert_whole("");
}

#[test]
fn of_exports_that_begin_at_the_same_instant_one_is_there() {
    let place = tempfile::tempdir().unwrap();
    for round in 0..10 {
        let out = place.path().join(round.to_string());
        let start = std::sync::Barrier::new(4);
        let export = |id: usize| {
            start.wait();
            let staging = Staging::begin(&out, Format::Jsonl)?;
            // Parts of other names: of two exports both would be there.
            let mut part = staging.parts().open(id, 0, None)?;
            part.write_lines(&format!("{id}\n"), 1)?;
            let parts = staging.keep([part.finish()?]);
            staging.commit(parts, asked())
        };
        let committed: Vec<_> = std::thread::scope(|scope| {
            let threads = [0, 1, 2, 3].map(|id| {
                scope.spawn({
                    let export = &export;
                    move || export(id)
                })
            });
            threads
                .map(|thread| thread.join().unwrap())
                .into_iter()
                .collect()
        });
        let done: Vec<_> = (0..4).filter(|id| committed[*id].is_ok()).collect();
        let [id] = done[..] else {
            panic!("{committed:?}");
        };
        let part = (format!("part-{id:05}-00000.jsonl"), format!("{id}\n"));
        assert_eq!(content(&out), [(MARK.to_owned(), String::new()), part]);
        for error in committed.into_iter().filter_map(Result::err) {
            let is_refused = matches!(
                error.kind(),
                ErrorKind::InUse { .. } | ErrorKind::AlreadyThere { .. }
            );
            assert!(is_refused, "{error}");
        }
    }
}
