//! Cases, done one after another with one SDK.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::exceptions::Exceptions;
use super::file::{Case, CaseFile, Need, Step, TableSetup};
use super::known::Known;
use super::matching::differs;
use super::outcome::{Outcome, Tally};
use super::{setup, value};
use crate::sdk::{OwnClient, Said, Sdk};

/// Where the service is, beside the SDK that is asked: what sets up and what only an emulator has.
pub struct Venue {
    /// Makes the tables and removes them.
    pub own: OwnClient,
    /// Advances the clock of an emulator; a real instance has none that would listen.
    pub advance: Option<Box<dyn Fn(Duration) + Send + Sync>>,
}

impl std::fmt::Debug for Venue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Venue")
            .field("own", &self.own)
            .field("has_clock", &self.advance.is_some())
            .finish()
    }
}

/// One SDK, and what it is asked.
pub struct Runner<'a> {
    venue: Venue,
    sdk: &'a mut dyn Sdk,
    exceptions: Exceptions,
    prefix: String,
}

impl std::fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner")
            .field("sdk", &self.sdk.name())
            .field("venue", &self.venue)
            .finish_non_exhaustive()
    }
}

impl<'a> Runner<'a> {
    /// Cases with this SDK, except those that it cannot do. Its tables have names that nobody else uses.
    pub fn new(venue: Venue, sdk: &'a mut dyn Sdk, exceptions: Exceptions) -> Self {
        Self {
            venue,
            sdk,
            exceptions,
            prefix: format!("case_{:08x}", fastrand::u32(..)),
        }
    }

    /// All cases of these files whose name has `only` in it.
    pub async fn run(&mut self, files: &[CaseFile], only: &str) -> Tally {
        let mut tally = Tally {
            sdk: self.sdk.name().to_owned(),
            outcomes: Vec::new(),
        };
        for (number, file) in files.iter().enumerate() {
            let named = |case: &&Case| case.name.contains(only) || file.name == only;
            let cases: Vec<&Case> = file.cases.iter().filter(named).collect();
            if cases.is_empty() {
                continue;
            }
            let outcomes = self.run_file(file, &cases, number).await;
            let named = cases.iter().zip(outcomes);
            tally.outcomes.extend(
                named.map(|(case, outcome)| (file.name.clone(), case.name.clone(), outcome)),
            );
        }
        tally
    }

    async fn run_file(&mut self, file: &CaseFile, cases: &[&Case], number: usize) -> Vec<Outcome> {
        let prefix = format!("{}_{number}", self.prefix);
        let mut known = Known::new(&prefix);
        // An hour ago, so that the service takes it as the version of a cell.
        known.learn("base", unix_ms() - 3_600_000);
        let mut made = Ok(());
        for table in &file.tables {
            if made.is_ok() {
                made = setup::make(&mut self.venue.own, table, &mut known).await;
            }
        }
        let mut outcomes = Vec::new();
        for (place, case) in cases.iter().enumerate() {
            let own = format!("{prefix}_{place}");
            outcomes.push(match &made {
                Ok(()) => self.run_case(file, case, &known, &own).await,
                Err(why) => Outcome::Failed(why.clone()),
            });
        }
        if let Err(why) = setup::remove(&mut self.venue.own, &format!("{prefix}_")).await
            && let Some(last) = outcomes.last_mut()
        {
            *last = Outcome::Failed(format!("the tables are not removed: {why}"));
        }
        outcomes
    }

    async fn run_case(
        &mut self,
        file: &CaseFile,
        case: &Case,
        known: &Known,
        prefix: &str,
    ) -> Outcome {
        if self.venue.advance.is_none() {
            let lack = case.needs.first().map(|need| match need {
                Need::Clock => "a real instance has no clock to advance",
                Need::FreshIndex => "an index of a real instance is behind its table",
                Need::Inference => "what the real service does is not known",
            });
            if let Some(lack) = lack {
                return Outcome::Left(lack.to_owned());
            }
        }
        let mut known = known.within(prefix);
        let done = self.steps(file, case, &mut known).await;
        if !case.tables.is_empty()
            && let Err(why) = setup::remove(&mut self.venue.own, &format!("{prefix}_")).await
        {
            return Outcome::Failed(format!("the tables are not removed: {why}"));
        }
        match (done, self.exceptions.reason(&case.name)) {
            (Ok(()), None) => Outcome::Passed,
            (Err(why), None) => Outcome::Failed(why),
            (Err(_), Some(reason)) => Outcome::Unsupported(reason.to_owned()),
            (Ok(()), Some(_)) => {
                Outcome::Failed("it goes well, and is among the exceptions".to_owned())
            }
        }
    }

    async fn steps(
        &mut self,
        file: &CaseFile,
        case: &Case,
        known: &mut Known,
    ) -> Result<(), String> {
        for table in &case.tables {
            setup::make(&mut self.venue.own, table, known).await?;
        }
        let tables: Vec<&TableSetup> = case.tables.iter().chain(&file.tables).collect();
        for (number, step) in case.steps.iter().enumerate() {
            let done = self.step(step, &tables, known).await;
            done.map_err(|why| format!("step {} ({}): {why}", number + 1, step.operation))?;
        }
        Ok(())
    }

    async fn step(
        &mut self,
        step: &Step,
        tables: &[&TableSetup],
        known: &mut Known,
    ) -> Result<(), String> {
        let mut request = known.fill_object(&step.request)?;
        if step.operation == "advance_clock" {
            let ms = request.get("ms").and_then(Json::as_u64).ok_or("no ms")?;
            let advance = self.venue.advance.as_ref().ok_or("no clock")?;
            advance(Duration::from_millis(ms));
            return Ok(());
        }
        name_keys(&mut request, tables, known)?;
        request.insert("do".to_owned(), json!(step.operation));
        let request = value::full(&Json::Object(request));
        let said = self.sdk.ask(&request).await.map_err(|e| e.to_string())?;
        let found = match (said, &step.error) {
            (Said::Answer(answer), None) => {
                let found = value::short(&answer);
                if let Some(expected) = &step.answer {
                    differs(&known.fill(expected)?, &found, "answer")?;
                }
                found
            }
            (Said::Answer(answer), Some(_)) => {
                return Err(format!("it goes well: {:.300}", answer.to_string()));
            }
            (Said::Error(refusal), Some(expected)) => {
                let found = serde_json::to_value(&refusal).map_err(|e| e.to_string())?;
                differs(&known.fill(expected)?, &found, "error")?;
                found
            }
            (Said::Error(refusal), None) => return Err(format!("refused: {refusal:?}")),
            (Said::Unsupported(why), _) => {
                return Err(format!("the SDK has no word for it: {why}"));
            }
            (Said::Failed(why), _) => return Err(format!("the SDK failed: {why}")),
        };
        for (name, pointer) in &step.save {
            let part = pointer.as_str().and_then(|pointer| found.pointer(pointer));
            let part = part.ok_or_else(|| format!("nothing at {pointer} to save"))?;
            known.learn(name, part.clone());
        }
        Ok(())
    }
}

/// Gives keys their names, where a request has them by their values alone.
fn name_keys(
    request: &mut Map<String, Json>,
    tables: &[&TableSetup],
    known: &Known,
) -> Result<(), String> {
    let mut setup = None;
    for table in tables {
        let name = known.fill(&json!(format!("${{{}}}", table.name)))?;
        if request.get("table") == Some(&name) {
            setup = Some(*table);
            break;
        }
    }
    for (name, part) in request.iter_mut() {
        match (name.as_str(), setup) {
            ("key", Some(setup)) if !is_schema(part) => *part = setup::named_key(setup, part),
            ("start" | "end", Some(setup)) => *part = setup::named_key(setup, part),
            ("keys" | "routed_to", Some(setup)) => {
                for key in part.as_array_mut().into_iter().flatten() {
                    *key = setup::named_key(setup, key);
                }
            }
            ("tables", _) => {
                for table in part.as_array_mut().into_iter().flatten() {
                    if let Json::Object(table) = table {
                        name_keys(table, tables, known)?;
                    }
                }
            }
            // The rows of a batch, each a change of one kind.
            ("rows", Some(setup)) => {
                let rows = part.as_array_mut().into_iter().flatten();
                let changes = rows.filter_map(|row| row.as_object_mut());
                for change in changes.flat_map(|row| row.values_mut()) {
                    if let Some(key) = change.get_mut("key") {
                        *key = setup::named_key(setup, key);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether this is the key of a table to create, with types in place of values.
fn is_schema(key: &Json) -> bool {
    key.as_array()
        .is_some_and(|columns| columns.iter().all(Json::is_array))
}

fn unix_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.ok()
        .and_then(|time| i64::try_from(time.as_millis()).ok())
        .unwrap_or_default()
}
