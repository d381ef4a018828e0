//! Where a reader stands in a query, without building text until something is wrong.

use std::fmt;

/// A step into a query, the way back from it, and how many queries it lies inside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
    depth: usize,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    /// The beginning.
    pub(crate) const fn root(name: &'a str) -> Self {
        Self {
            parent: None,
            step: Step::Key(name),
            depth: 0,
        }
    }

    /// The part of this name.
    pub(crate) const fn key<'b>(&'b self, name: &'b str) -> Place<'b> {
        self.step(Step::Key(name))
    }

    /// The element at this index.
    pub(crate) const fn index(&self, index: usize) -> Place<'_> {
        self.step(Step::Index(index))
    }

    /// The body of a query of this kind, one level deeper.
    pub(crate) const fn body<'b>(&'b self, kind: &'b str) -> Place<'b> {
        let mut body = self.key(kind);
        body.depth += 1;
        body
    }

    /// The same place, inside so many queries.
    pub(crate) const fn at_depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }

    /// How many queries it lies inside.
    pub(crate) const fn depth(&self) -> usize {
        self.depth
    }

    /// Whether a query here lies inside more queries than are read.
    pub(crate) const fn is_too_deep(&self) -> bool {
        self.depth > MAX_DEPTH
    }

    const fn step<'b>(&'b self, step: Step<'b>) -> Place<'b> {
        Place {
            parent: Some(self),
            step,
            depth: self.depth,
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Key(name) if self.parent.is_none() => f.write_str(name),
            Step::Key(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// How many queries another may lie inside of. Reading, printing and dropping go down one by one:
/// the limit is what keeps a hostile query from exhausting the stack.
pub(crate) const MAX_DEPTH: usize = 64;
