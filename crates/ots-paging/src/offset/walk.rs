//! The rows of one answer, counted or kept.

use ots_proto::{NameCache, PrimaryKey};

use super::page::OffsetCost;
use super::step::{Reads, Step};
use crate::anchors::Anchors;
use crate::error::{Error, ErrorKind};
use crate::page::{NextPage, Page, whole_key};

/// The rows of one page, counted or kept.
pub(super) struct Walk<'a, 'c> {
    pub(super) step: &'a mut Step<'c>,
    pub(super) anchors: &'a mut Anchors,
    pub(super) target: u64,
    pub(super) names: &'a mut NameCache,
    pub(super) cost: &'a mut OffsetCost,
}

impl Walk<'_, '_> {
    /// Takes the rows up to the target. Gives the place of the first row beyond, if the page has one.
    pub(super) fn take(&mut self, page: &Page) -> Result<Option<NextPage>, Error> {
        let before = self.step.row;
        let taken = self.take_rows(page);
        self.step.pages.saw_rows(self.step.row - before);
        taken.map_err(|error| self.step.pages.fail(error, page))
    }

    fn take_rows(&mut self, page: &Page) -> Result<Option<NextPage>, Error> {
        let offset = self.step.goal.offset;
        let only_keys = matches!(self.step.reads, Reads::Keys);
        let mut reader = page.reader()?;
        while let Some(row) = reader.next_row()? {
            let at = self.step.row;
            let whole = |names: &mut NameCache| -> Result<PrimaryKey, Error> {
                let key = whole_key(&row.to_primary_key(names), page.start());
                key.ok_or_else(|| Error::new(ErrorKind::NextKey))
            };
            if self.anchors.wants(at) {
                self.anchors.add(whole(self.names)?);
            }
            if !only_keys {
                self.anchors.widths.saw(row);
            }
            if at >= self.target {
                return Ok(Some(NextPage::From(whole(self.names)?)));
            }
            if at >= offset && self.step.first.is_none() {
                self.step.first = Some(whole(self.names)?);
            }
            if only_keys || at < offset {
                self.cost.skipped_rows += 1;
            } else {
                self.cost.rows += 1;
                self.step.rows.push(row.to_row(self.names));
            }
            self.step.row += 1;
        }
        Ok(None)
    }
}
