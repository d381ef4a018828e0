//! Files of cases: what is in one.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::error::{Error, ErrorKind};
use crate::process;

/// Cases about one topic, and the tables that they share.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CaseFile {
    /// Its name, without the ending.
    #[serde(skip)]
    pub name: String,
    /// The topic of the service's description that the cases come from, unless a case says otherwise.
    pub topic: String,
    /// Tables that exist before the first case. The cases share them, so one that writes to them uses
    /// keys of its own.
    #[serde(default)]
    pub(super) tables: Vec<TableSetup>,
    /// The cases, each on its own.
    pub cases: Vec<Case>,
}

/// Some steps and what they must answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Case {
    /// What is claimed, as one word with underscores; unique among all cases.
    pub name: String,
    /// The topic of the service's description, where it isn't that of the file.
    pub topic: Option<String>,
    /// What the case needs and only an emulator has.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// Tables of this case alone.
    #[serde(default)]
    pub(super) tables: Vec<TableSetup>,
    pub(super) steps: Vec<Step>,
}

/// What only an emulator has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Need {
    /// A clock that can be advanced.
    Clock,
    /// An index that has each change at once.
    FreshIndex,
    /// An answer that the description infers: the emulator's choice, not known of the service.
    Inference,
}

/// A table, its rows and its indexes, made before the steps by our own client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableSetup {
    /// What `${..}` calls it.
    pub(super) name: String,
    /// Key columns: names and types, as in `["id", "integer"]`, with `"auto_increment"` after them.
    pub(super) key: Vec<Vec<String>>,
    #[serde(default = "one")]
    pub(super) max_versions: u32,
    /// Options beside the number of versions, as `create_table` has them.
    #[serde(default)]
    pub(super) options: Map<String, Json>,
    /// Rows, each a key and its columns, or many at once.
    #[serde(default)]
    pub(super) rows: Vec<RowSetup>,
    /// Search indexes, each as `create_index` has them.
    #[serde(default)]
    pub(super) indexes: Vec<Map<String, Json>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RowSetup {
    /// A key and columns.
    One(Json, Map<String, Json>),
    /// A row for each number, which `${i}` stands for.
    Many(ManyRows),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManyRows {
    /// The first number, and the one after the last.
    pub(super) numbers: (i64, i64),
    pub(super) key: Json,
    #[serde(default)]
    pub(super) columns: Map<String, Json>,
}

/// One request, or something that the runner does itself.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Step {
    /// What is done.
    #[serde(rename = "do")]
    pub(super) operation: String,
    /// Of the answer, what must be there.
    pub(super) answer: Option<Json>,
    /// The error that must come instead.
    pub(super) error: Option<Json>,
    /// Parts of the answer that later steps use: names and where they are (as JSON pointers).
    #[serde(default)]
    pub(super) save: Map<String, Json>,
    /// Everything else: the request.
    #[serde(flatten)]
    pub(super) request: Map<String, Json>,
}

const fn one() -> u32 {
    1
}

/// Every file of a folder, by name.
///
/// # Errors
///
/// [`ErrorKind::Cases`] when a file is not what it should be or two cases have one name,
/// [`ErrorKind::Io`] when the folder cannot be read.
pub fn load(folder: &Path) -> Result<Vec<CaseFile>, Error> {
    let cannot = |e| {
        Error::because(
            ErrorKind::Io,
            format!("cannot list {}", folder.display()),
            e,
        )
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut names = BTreeSet::new();
    let mut files = Vec::new();
    for path in paths {
        let file = read(&path)?;
        for case in &file.cases {
            let problem = if !names.insert(case.name.clone()) {
                "is there twice"
            } else if let Some((step, word)) = case.steps.iter().find_map(unknown_word) {
                let message = format!("{}: {}: {step} has no {word:?}", path.display(), case.name);
                return Err(Error::new(ErrorKind::Cases, message));
            } else if case.steps.is_empty() {
                "has no steps"
            } else if case
                .steps
                .iter()
                .any(|s| s.answer.is_some() && s.error.is_some())
            {
                "has a step with an answer and an error"
            } else {
                continue;
            };
            let message = format!("{}: the case {:?} {problem}", path.display(), case.name);
            return Err(Error::new(ErrorKind::Cases, message));
        }
        files.push(file);
    }
    Ok(files)
}

/// A word of a step that its operation doesn't have, which an SDK might pass over in silence.
fn unknown_word(step: &Step) -> Option<(String, String)> {
    let known = OPERATIONS.iter().find(|(name, _)| *name == step.operation);
    let Some((_, words)) = known else {
        return Some((step.operation.clone(), "meaning".to_owned()));
    };
    let is_known = |word: &str| words.split(' ').any(|known| known == word);
    let unknown = step.request.keys().find(|word| !is_known(word))?;
    Some((step.operation.clone(), unknown.clone()))
}

/// What can be done, and the words of each.
const OPERATIONS: [(&str, &str); 22] = [
    (
        "create_table",
        "table key max_versions time_to_live_s max_deviation_s allow_update reserved defined_columns",
    ),
    (
        "update_table",
        "table max_versions time_to_live_s max_deviation_s allow_update reserved",
    ),
    ("describe_table", "table"),
    ("list_tables", ""),
    ("delete_table", "table"),
    ("compute_split_points", "table size"),
    ("put_row", "table key columns exists when return"),
    ("update_row", "table key changes exists when return"),
    ("delete_row", "table key exists when return"),
    (
        "get_row",
        "table key columns max_versions time_range time filter start_column end_column",
    ),
    (
        "get_range",
        "table start end backward limit columns max_versions time_range time filter start_column end_column",
    ),
    ("batch_get", "tables"),
    ("batch_write", "tables atomic"),
    (
        "create_index",
        "table index fields sort routing time_to_live_s source",
    ),
    (
        "update_index",
        "table index time_to_live_s switch_to weights",
    ),
    ("describe_index", "table index"),
    ("list_indexes", "table"),
    ("delete_index", "table index"),
    (
        "search",
        "table index query sort offset limit token columns count_all collapse highlight aggs groups routed_to",
    ),
    ("compute_splits", "table index"),
    (
        "parallel_scan",
        "table index query columns limit session share alive_s token",
    ),
    ("advance_clock", "ms"),
];

fn read(path: &Path) -> Result<CaseFile, Error> {
    let text = process::read(path)?;
    let mut file: CaseFile = serde_json::from_str(&text).map_err(|e| {
        let message = format!("{} is not a file of cases", path.display());
        Error::because(ErrorKind::Cases, message, e)
    })?;
    file.name = path
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    Ok(file)
}
