//! What an answer means for a cursor.

use bytes::Bytes;
use ots_core::request::GetRangeReply;
use ots_proto::PrimaryKey;
use ots_proto::plainbuffer::{Accept, Reader, Writer};

use super::RangeCursor;
use crate::error::{Error, ErrorKind};
use crate::page::{self, NextPage, Page, whole_key};
use crate::resume::ResumePoint;
use crate::wide::{self, Cut, OpenRow, Stitched};

impl RangeCursor {
    /// Takes the answer to [`next_request`](Self::next_request) and steps past it.
    ///
    /// When the answer ends inside a row, the page has the rows before that one. The row comes with a
    /// later page, put together; until then, pages may come without rows.
    ///
    /// A page without rows may end where it began: nothing is lost by asking again. A hundred of them in a
    /// row are refused, and one with rows at once, as its rows would come twice.
    ///
    /// # Errors
    /// [`ErrorKind::WideRow`], [`ErrorKind::NotAdvancing`] or [`ErrorKind::NextKey`] for an answer
    /// that can't be gone on from, [`ErrorKind::RowTooLarge`] for a row above
    /// [`row_bytes`](Self::row_bytes), and [`ErrorKind::NotAsked`] when no request was due. The cursor
    /// then stays where it is, except that the capacity units are counted. Damaged rows are not
    /// looked for here: who reads the page finds them.
    pub fn absorb(&mut self, reply: GetRangeReply) -> Result<Page, Error> {
        self.consumed += reply.consumed;
        let refused = |kind| Error::new(kind).at(self.place());
        if self.is_done() {
            return Err(refused(ErrorKind::NotAsked));
        }
        if self.stands_still(&reply) {
            if self.standing_still >= MOST_STANDING_STILL {
                return Err(refused(ErrorKind::NotAdvancing));
            }
            self.standing_still += 1;
            self.pages += 1;
            return Ok(Page {
                start: self.start.clone(),
                buffer: Writer::new().finish(),
                resume: self.resume_point(),
                consumed: reply.consumed,
            });
        }
        let (mut next, cut) = self.next_place(reply.next_start, reply.next_token)?;
        let mut buffer = reply.rows;
        if buffer.is_empty() {
            // The service's way to say "no rows", which a reader of PlainBuffer rightly refuses.
            buffer = Writer::new().finish();
        }
        let open = self.open.as_ref();
        let stitched = if self.in_parts {
            let open = wide::follow(open, &buffer, cut, &self.start);
            open.map(|open| Stitched { buffer, open })
        } else {
            wide::stitch(open, buffer, cut, &self.start, self.row_bytes)
        };
        let Stitched {
            mut buffer,
            mut open,
        } = stitched.map_err(refused)?;
        self.limits.asked(self.page_limit());
        if self.limits.left.is_some() || self.limits.counts_bytes() {
            let left = self.limits.left.unwrap_or(u64::MAX);
            let counted = page::count(&buffer, left, &self.start);
            if let Some(rest) = counted.rest {
                buffer.truncate(rest.offset);
                open = None;
                next = match rest.key {
                    Some(key) if self.precedes(&self.start, &key) => NextPage::From(key),
                    Some(_) => return Err(Error::new(ErrorKind::NotAdvancing).at(self.place())),
                    None => return Err(Error::new(ErrorKind::NextKey).at(self.place())),
                };
            }
            self.limits.saw_bytes(counted.rows, buffer.len() as u64);
            if let Some(left) = &mut self.limits.left {
                *left = left.saturating_sub(counted.rows);
                self.limits.saw_rows(counted.rows);
            }
        }
        self.pages += 1;
        let page = Page {
            start: self.start.clone(),
            buffer,
            resume: ResumePoint::new(self.fingerprint, next.clone()),
            consumed: reply.consumed,
        };
        match next {
            NextPage::Done => self.finished = true,
            NextPage::From(key) => self.go_on_from(key),
        }
        self.open = open;
        Ok(page)
    }

    /// Whether an answer has nothing and says to ask the same again.
    fn stands_still(&self, reply: &GetRangeReply) -> bool {
        let is_start = |key: &PrimaryKey| whole_key(key, &self.start).as_ref() == Some(&self.start);
        let asked = self.open.as_ref().map(OpenRow::token);
        is_without_rows(&reply.rows)
            && reply.next_start.as_ref().is_some_and(is_start)
            && (reply.next_token.is_none() || reply.next_token.as_ref() == asked)
    }

    /// What the end of an answer means.
    fn next_place(
        &self,
        next_start: Option<PrimaryKey>,
        token: Option<Bytes>,
    ) -> Result<(NextPage, Option<Cut>), Error> {
        let refused = |kind| Error::new(kind).at(self.place());
        let Some(key) = next_start else {
            // A row was cut, and nobody says which.
            let cut = token.is_some();
            return if cut {
                Err(refused(ErrorKind::WideRow))
            } else {
                Ok((NextPage::Done, None))
            };
        };
        let key = whole_key(&key, &self.start).ok_or_else(|| refused(ErrorKind::NextKey))?;
        // The first row of a page may be cut, and then be gone on with from the same place.
        let stays = token.is_some() && key == self.start;
        if !stays && !self.precedes(&self.start, &key) {
            return Err(refused(ErrorKind::NotAdvancing));
        }
        match token {
            Some(_) if !self.precedes(&key, &self.end) => Err(refused(ErrorKind::WideRow)),
            Some(token) => {
                let cut = Cut {
                    key: key.clone(),
                    token,
                };
                Ok((NextPage::From(key), Some(cut)))
            }
            None if self.precedes(&key, &self.end) => Ok((NextPage::From(key), None)),
            // All rows before the next key have come, so a key past the end leaves none.
            None => Ok((NextPage::Done, None)),
        }
    }
}

/// Whether rows are none at all: no bytes, or only the header that stands before rows.
fn is_without_rows(rows: &Bytes) -> bool {
    // What else is as long is damage.
    let is_header = || rows.len() == HEADER_BYTES && Reader::new(rows, Accept::Rows).is_ok();
    rows.is_empty() || is_header()
}

const HEADER_BYTES: usize = 4;

/// How often the service may say that it read nothing, in a row.
const MOST_STANDING_STILL: u32 = 99;
