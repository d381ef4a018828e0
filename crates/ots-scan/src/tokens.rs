//! Whether the tokens of a split can be asked twice, as the pages of a scan must be.

use bytes::Bytes;

use crate::delivered::PageKeys;

/// What the answers of one split have shown of its tokens.
///
/// A token names a place: asked twice, it gives the same rows twice. A retry of an answer that was lost
/// rests on that, and so does asking again for a page that came damaged, or for a row to keep the
/// session alive. A service might have a cursor instead, that moves with each request; then what was
/// read the first time is gone. Such a service gives itself away:
/// - by rows with the token that they were asked with, which would be a circle if it named a place;
/// - by a row that doesn't come back when its token is asked again.
#[derive(Debug)]
pub(crate) struct Tokens {
    /// Whether a token names rows that don't change.
    in_session: bool,
    asked_again: bool,
    lead_on: bool,
    expected: Option<Expected>,
}

/// A row that was read and thrown away, and must come again.
#[derive(Debug)]
struct Expected {
    /// With this token.
    token: Option<Bytes>,
    key: PageKeys,
}

impl Expected {
    fn is_of(&self, token: Option<&Bytes>) -> bool {
        self.token.as_ref() == token
    }
}

impl Tokens {
    pub(crate) const fn new(in_session: bool) -> Self {
        Self {
            in_session,
            asked_again: false,
            lead_on: false,
            expected: None,
        }
    }

    /// A token is asked that is to be asked again, or was asked before.
    pub(crate) const fn ask_again(&mut self) {
        self.asked_again = true;
    }

    /// This row came with a token that is to be asked again: it must come again too.
    pub(crate) fn expect(&mut self, asked: Option<&Bytes>, row: Option<&Bytes>) {
        let is_expected = self.expected.as_ref().is_some_and(|it| it.is_of(asked));
        if !self.in_session || is_expected {
            return;
        }
        let key = row.map(|row| PageKeys::read(std::slice::from_ref(row)));
        if let Some(Ok(key)) = key {
            let token = asked.cloned();
            self.expected = Some(Expected { token, key });
        }
    }

    /// An answer came, after so many times that the service may have given it.
    pub(crate) fn answer(
        &mut self,
        asked: Option<&Bytes>,
        has_rows: bool,
        next: Option<&Bytes>,
        times: u32,
    ) {
        self.asked_again |= times > 1;
        self.lead_on |= has_rows && next.is_some_and(|next| !next.is_empty()) && next == asked;
    }

    /// A page came.
    pub(crate) fn page(&mut self, asked: Option<&Bytes>, rows: &[Bytes], next: Option<&Bytes>) {
        let Some(expected) = self.expected.as_mut().filter(|it| it.is_of(asked)) else {
            return;
        };
        if !rows.is_empty() {
            // One that is damaged is asked for again.
            if let Ok(keys) = PageKeys::read(rows) {
                self.lead_on |= !keys.has_all_of(&expected.key);
                self.expected = None;
            }
        } else if next.is_some_and(|next| !next.is_empty()) {
            // The row comes behind it.
            expected.token = next.cloned();
        } else {
            self.lead_on = true;
        }
    }

    /// Whether asking again would be a loss.
    pub(crate) const fn lead_on(&self) -> bool {
        self.lead_on
    }

    /// Whether something may be lost.
    pub(crate) const fn have_moved(&self) -> bool {
        self.asked_again && self.lead_on
    }
}

#[cfg(test)]
mod tests {
    use ots_proto::plainbuffer::write_row;
    use ots_proto::{PrimaryKey, Row};

    use super::*;

    fn row(id: i64) -> Bytes {
        write_row(&Row::new(PrimaryKey::new().column("id", id)).cell("city", "Hangzhou"))
    }

    fn token(name: &'static str) -> Bytes {
        Bytes::from_static(name.as_bytes())
    }

    #[test]
    fn rows_with_the_token_that_was_asked_are_no_harm_until_it_is_asked_again() {
        let (one, two) = (token("1"), token("2"));
        for (has_rows, next, leads_on) in [
            (true, Some(&one), true),
            (false, Some(&one), false),
            (true, Some(&two), false),
            (true, None, false),
        ] {
            let mut tokens = Tokens::new(true);
            tokens.answer(Some(&one), has_rows, next, 1);
            assert_eq!(tokens.lead_on(), leads_on, "{has_rows} {next:?}");
            assert!(!tokens.have_moved());
            tokens.ask_again();
            assert_eq!(tokens.have_moved(), leads_on, "{has_rows} {next:?}");
            // In whichever order.
            let mut tokens = Tokens::new(true);
            tokens.answer(Some(&two), true, None, 2);
            tokens.answer(Some(&one), has_rows, next, 1);
            assert_eq!(tokens.have_moved(), leads_on);
        }
        // The end of a split isn't the token of its beginning.
        let mut tokens = Tokens::new(true);
        tokens.answer(None, true, None, 2);
        assert!(!tokens.have_moved());
    }

    /// Tokens of which the first is asked again, and came with row 7.
    fn asked_again(in_session: bool) -> Tokens {
        let mut tokens = Tokens::new(in_session);
        tokens.ask_again();
        tokens.expect(None, Some(&row(7)));
        tokens
    }

    #[test]
    fn a_row_that_was_read_comes_again_or_the_tokens_have_moved() {
        let two = token("2");
        let pages: [(&[i64], Option<&Bytes>, bool); 5] = [
            (&[7, 8, 9], Some(&two), false),
            // As it may, where the rows of a page have no order.
            (&[9, 8, 7], None, false),
            (&[8, 9], Some(&two), true),
            (&[], Some(&two), false),
            (&[], None, true),
        ];
        for (ids, next, moved) in pages {
            let rows: Vec<_> = ids.iter().map(|id| row(*id)).collect();
            let mut tokens = asked_again(true);
            tokens.page(None, &rows, next);
            assert_eq!(tokens.have_moved(), moved, "{ids:?}");
            // Without a session rows come and go.
            let mut tokens = asked_again(false);
            tokens.page(None, &rows, next);
            assert!(!tokens.have_moved());
        }
    }

    #[test]
    fn behind_an_empty_page_the_row_is_expected_with_the_next_token() {
        let two = token("2");
        for (id, moved) in [(7, false), (8, true)] {
            let mut tokens = asked_again(true);
            tokens.page(None, &[], Some(&two));
            tokens.page(Some(&two), &[row(id)], None);
            assert_eq!(tokens.have_moved(), moved);
        }
    }

    #[test]
    fn a_damaged_page_and_what_follows_it_leave_the_row_expected() {
        let two = token("2");
        for (id, moved) in [(7, false), (8, true)] {
            let mut tokens = asked_again(true);
            let damaged = [row(7), Bytes::from_static(b"?")];
            tokens.page(None, &damaged, Some(&two));
            tokens.page(Some(&two), &[row(9)], None);
            assert!(!tokens.have_moved(), "it is of another token");
            // Of two rows that came with a token the first is expected, or any that can be read.
            tokens.expect(None, Some(&row(5)));
            tokens.page(None, &[row(id)], Some(&two));
            assert_eq!(tokens.have_moved(), moved);
        }
        let mut tokens = Tokens::new(true);
        tokens.ask_again();
        tokens.expect(None, None);
        tokens.expect(None, Some(&Bytes::from_static(b"?")));
        tokens.page(None, &[row(1)], Some(&two));
        assert!(!tokens.have_moved());
    }
}
