//! One share of a scan.

use std::fmt;

/// One share of a session's rows. Shares are disjoint, and together they are all rows.
///
/// Written as `split 3 of 16`, counted from 0 as the service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Split {
    id: u32,
    of: u32,
}

impl Split {
    /// The most shares there may be: a request has them as a number with a sign, of 32 bits.
    pub(crate) const MOST: u32 = i32::MAX.cast_unsigned();

    /// Share `id` of `of`, if there is one: ids run from 0 to below `of`, which is 2,147,483,647 at
    /// most.
    #[must_use]
    pub const fn new(id: u32, of: u32) -> Option<Self> {
        if id < of && of <= Self::MOST {
            Some(Self { id, of })
        } else {
            None
        }
    }

    /// The service's `current_parallel_id`, from 0.
    #[must_use]
    pub const fn id(self) -> u32 {
        self.id
    }

    /// How many shares there are: the service's `max_parallel`. The same for every request of a
    /// session, because the shares of another number are other shares.
    #[must_use]
    pub const fn of(self) -> u32 {
        self.of
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "split {} of {}", self.id, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_beyond_the_last_does_not_exist() {
        assert_eq!(Split::new(3, 16).unwrap().to_string(), "split 3 of 16");
        assert_eq!(Split::new(16, 16), None);
        assert_eq!(Split::new(0, 0), None);
    }

    #[test]
    fn a_split_that_no_request_can_name_does_not_exist() {
        let most = 2_147_483_647;
        assert!(Split::new(most - 1, most).is_some());
        for of in [most + 1, 4_000_000_000, u32::MAX] {
            assert_eq!((Split::new(0, of), Split::new(of - 1, of)), (None, None));
        }
    }
}
