//! From a cell's name to its column.

/// Finds columns by name, the next one nearly always at the first guess.
///
/// Cells come in the same order in row after row, so the column after this one is the column that
/// came after it last time: one comparison, with no hashing. A wrong guess costs a binary search,
/// so that wide and sparse rows stay cheap too.
#[derive(Debug)]
pub(crate) struct Lookup {
    names: Vec<String>,
    /// Places in `names`, in the order of the names.
    sorted: Vec<usize>,
    /// For each column, which one followed it last; the last entry is for the start of a row.
    follower: Vec<usize>,
    previous: usize,
}

impl Lookup {
    pub(crate) fn new(names: Vec<String>) -> Self {
        let mut sorted = (0..names.len()).collect::<Vec<_>>();
        sorted.sort_by_key(|place| names.get(*place));
        // The first row is guessed to come in the order of the schema.
        let mut follower = (1..=names.len()).collect::<Vec<_>>();
        follower.push(0);
        let previous = names.len();
        Self {
            names,
            sorted,
            follower,
            previous,
        }
    }

    /// To be called before the first cell of each row.
    pub(crate) const fn start_row(&mut self) {
        self.previous = self.names.len();
    }

    /// The column called `name`, if there is one.
    #[inline]
    pub(crate) fn find(&mut self, name: &str) -> Option<usize> {
        let guess = self.follower.get_mut(self.previous)?;
        if self.names.get(*guess).is_none_or(|guessed| guessed != name) {
            let named = |place: &usize| self.names.get(*place).map(String::as_str).cmp(&Some(name));
            let found = self.sorted.binary_search_by(named).ok()?;
            *guess = *self.sorted.get(found)?;
        }
        self.previous = *guess;
        Some(*guess)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(names: &[&str]) -> Lookup {
        Lookup::new(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn every_order_finds_every_column() {
        let mut lookup = lookup(&["b", "a", "d", "c"]);
        for row in [
            ["b", "a", "d", "c"],
            ["a", "b", "c", "d"],
            ["d", "d", "a", "a"],
        ] {
            for _ in 0..2 {
                lookup.start_row();
                let found = row.map(|name| lookup.find(name));
                let expected = row.map(|name| Some("badc".find(name).unwrap()));
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn unknown_names_are_not_found_and_do_not_disturb() {
        let mut lookup = lookup(&["a", "b"]);
        lookup.start_row();
        assert_eq!(lookup.find("a"), Some(0));
        assert_eq!(lookup.find("aa"), None);
        assert_eq!(lookup.find(""), None);
        assert_eq!(lookup.find("b"), Some(1));
        assert_eq!(lookup.find("c"), None);
    }

    #[test]
    fn no_columns_find_nothing() {
        let mut lookup = lookup(&[]);
        lookup.start_row();
        assert_eq!(lookup.find("a"), None);
    }

    #[test]
    fn a_repeated_order_is_guessed() {
        let mut lookup = lookup(&["a", "b", "c"]);
        for name in ["c", "a", "b"] {
            lookup.find(name);
        }
        assert_eq!(lookup.follower, [1, 2, 0, 2]);
    }
}
