//! Whether the tokens of a split go round.

use bytes::Bytes;

use crate::delivered::PageKeys;
use crate::plan::MAX_STANDING_STILL;

/// Finds tokens that go round, by Brent's method: one page's is kept in mind, and that of another after
/// twice as many pages as the time before. So a circle is found within a small multiple of the pages that
/// it has and of those that led to it, and costs a comparison for each page until then.
///
/// That a token comes back proves nothing yet: a service may have a cursor that moves with each request,
/// under one name. It is a circle when the rows come back too. One without rows loses and doubles nothing,
/// and is borne for as many pages as a split may stand still.
#[derive(Debug, Default)]
pub(crate) struct Circle {
    /// The page whose token is kept in mind.
    page: u64,
    token: Option<Bytes>,
    /// For so many pages.
    pages: u64,
    /// The first row since then.
    row: Option<Seen>,
    /// After how many pages the token came back, while the next row is to tell what that means.
    back: Option<u64>,
}

#[derive(Debug)]
struct Seen {
    page: u64,
    key: PageKeys,
}

/// A way that led back to where it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) pages: u32,
    /// Whether rows have come on it, which come again.
    pub(crate) has_rows: bool,
}

impl Circle {
    /// A page came for what was asked. One that is asked for again has the same number: what came of it
    /// before, and behind it, is forgotten.
    pub(crate) fn page(
        &mut self,
        page: u64,
        asked: Option<&Bytes>,
        rows: &[Bytes],
    ) -> Option<Round> {
        if self.row.as_ref().is_some_and(|row| row.page >= page) {
            (self.row, self.back) = (None, None);
        }
        match page.checked_sub(self.page) {
            None | Some(0) => self.keep(page, asked, self.pages.max(1)),
            Some(since) => {
                if self.token.as_ref() == asked {
                    if self.row.is_some() {
                        self.back = Some(since);
                    } else if since >= u64::from(MAX_STANDING_STILL) {
                        return Some(Round::new(since, false));
                    }
                }
                if let (Some(back), Some(row)) = (self.back, &self.row)
                    && !rows.is_empty()
                {
                    // What is damaged is asked for again.
                    if PageKeys::read(rows).is_ok_and(|keys| keys.has_all_of(&row.key)) {
                        return Some(Round::new(back, true));
                    }
                    self.back = None;
                }
                if since >= self.pages {
                    self.keep(page, asked, self.pages.saturating_mul(2));
                }
            }
        }
        if let (None, Some(row)) = (&self.row, rows.first())
            && let Ok(key) = PageKeys::read(std::slice::from_ref(row))
        {
            self.row = Some(Seen { page, key });
        }
        None
    }

    fn keep(&mut self, page: u64, asked: Option<&Bytes>, pages: u64) {
        *self = Self {
            page,
            token: asked.cloned(),
            pages,
            row: None,
            back: None,
        };
    }
}

impl Round {
    fn new(pages: u64, has_rows: bool) -> Self {
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        Self { pages, has_rows }
    }
}

#[cfg(test)]
mod tests {
    use ots_proto::plainbuffer::write_row;
    use ots_proto::{PrimaryKey, Row};
    use proptest::prelude::*;

    use super::*;

    fn row(id: u64) -> Bytes {
        let id = i64::try_from(id).unwrap();
        write_row(&Row::new(PrimaryKey::new().column("id", id)).cell("city", "Hangzhou"))
    }

    fn token(place: u64) -> Option<Bytes> {
        (place > 0).then(|| place.to_string().into())
    }

    /// Places from 0 on, the last of which leads back.
    #[derive(Clone, Copy, Debug)]
    struct Places {
        before: u64,
        length: u64,
    }

    impl Places {
        /// Reads on until the circle is found, with so many rows of a page and place; none may be a place
        /// at which the split stands still.
        fn read(self, mut rows: impl FnMut(u64) -> Option<u64>) -> (u64, Round) {
            let mut circle = Circle::default();
            let mut place = 0;
            for page in 0..1_000_000 {
                let came = rows(place);
                let ids = 0..came.unwrap_or_default();
                let rows: Vec<_> = ids.map(|id| row(place * 10 + id)).collect();
                if let Some(round) = circle.page(page, token(place).as_ref(), &rows) {
                    return (page, round);
                }
                if came.is_some() {
                    place += 1;
                }
                if place == self.before + self.length {
                    place = self.before;
                }
            }
            panic!("not found");
        }
    }

    fn places() -> impl Strategy<Value = Places> {
        (1_u64..200, 1_u64..200).prop_map(|(before, length)| Places { before, length })
    }

    proptest! {
        /// Pages of any place may come with fewer rows, or none, when they come again.
        #[test]
        fn places_that_go_round_are_found(
            places in places(),
            with_rows in 1_u64..9,
            stands_still in 0_u8..4,
            seed in any::<u64>(),
        ) {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (page, round) = places.read(|place| {
                let has_rows = place % with_rows == 0 || place == places.before;
                let most = if has_rows { rng.u64(1..4) } else { 0 };
                (rng.u8(0..4) >= stands_still).then_some(most)
            });
            prop_assert!(round.has_rows);
            if stands_still == 0 {
                prop_assert_eq!(u64::from(round.pages) % places.length, 0);
                prop_assert!(page <= 4 * (places.before + places.length));
            }
        }

        #[test]
        fn a_circle_without_rows_is_borne_for_a_thousand_pages(places in places()) {
            let (page, round) = places.read(|place| Some(u64::from(place < places.before)));
            prop_assert!((1_000..5_000).contains(&page));
            prop_assert!((1_000..1_000 + places.length).contains(&u64::from(round.pages)));
            prop_assert!(!round.has_rows);
        }

        #[test]
        fn tokens_that_lead_on_never_go_round(damaged in proptest::collection::vec(0_u64..3, 1..300)) {
            let mut circle = Circle::default();
            let mut page = 0;
            for back in damaged {
                // A page is asked for again, or the one before it.
                page = (page + 1_u64).saturating_sub(back);
                let rows = [row(page)];
                prop_assert_eq!(circle.page(page, token(page).as_ref(), &rows), None);
            }
        }
    }

    /// It is a name, and the rows go on.
    #[test]
    fn a_cursor_of_one_name_is_no_circle() {
        let mut circle = Circle::default();
        for page in 0..3_000 {
            let asked = token(page.min(1));
            let rows = [row(2 * page), row(2 * page + 1)];
            let rows = if page % 5 == 3 { &[] } else { &rows[..] };
            assert_eq!(circle.page(page, asked.as_ref(), rows), None);
        }
    }

    /// The place stood still first, so that its token has come back, and then its page came damaged.
    #[test]
    fn a_page_that_is_asked_for_again_has_not_come_back() {
        let one = token(1);
        for stands_still in 1..20 {
            let mut circle = Circle::default();
            assert_eq!(circle.page(0, None, &[row(0)]), None);
            for page in 1..=stands_still {
                assert_eq!(circle.page(page, one.as_ref(), &[]), None);
            }
            for _ in 0..3 {
                let page = stands_still + 1;
                assert_eq!(circle.page(page, one.as_ref(), &[row(1), row(2)]), None);
                // And what followed is given up.
                let next = circle.page(page + 1, token(2).as_ref(), &[row(3)]);
                assert_eq!(next, None);
            }
        }
    }

    #[test]
    fn rows_that_come_again_need_not_come_in_order() {
        let mut circle = Circle::default();
        let (one, two) = (token(1), token(2));
        let pages: [(_, &[u64]); 6] = [
            (None, &[0]),
            (one.as_ref(), &[1, 2, 3]),
            (two.as_ref(), &[4]),
            (one.as_ref(), &[3, 1, 2]),
            (two.as_ref(), &[4]),
            (one.as_ref(), &[2, 1]),
        ];
        let rounds: Vec<_> = (0..)
            .zip(pages)
            .filter_map(|(page, (asked, ids))| {
                let rows: Vec<_> = ids.iter().map(|id| row(*id)).collect();
                circle.page(page, asked, &rows)
            })
            .collect();
        assert_eq!(rounds[0], Round::new(2, true));
    }
}
