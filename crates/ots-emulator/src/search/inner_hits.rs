//! Which inner rows of a found row are returned with it.

use ots_proto::search;
use ots_proto::search::{NestedHits, SearchHit};

use super::doc::Doc;
use super::highlight::Highlighter;
use super::order::{Of, Position, RowOrder};
use super::query::{NestedNode, Node};
use super::schema::Schema;
use crate::error::ServiceError;

/// What a nested query says about the inner rows to return.
#[derive(Clone, Debug)]
pub(crate) struct InnerHits {
    order: RowOrder,
    offset: usize,
    limit: usize,
    highlighter: Option<Highlighter>,
}

impl InnerHits {
    pub(crate) fn parse(
        schema: &Schema,
        asked: &search::InnerHits,
        path: &str,
    ) -> Result<Self, ServiceError> {
        let count = |number: Option<u32>, default: usize| {
            number.map_or(default, |number| {
                usize::try_from(number).unwrap_or(usize::MAX)
            })
        };
        let limit = count(asked.limit, DEFAULT_LIMIT);
        if limit > MAX_LIMIT {
            return Err(ServiceError::parameter(format!(
                "limit of inner_hits must be at most {MAX_LIMIT}, it is {limit}"
            )));
        }
        let sort = asked.sort.clone().unwrap_or_default();
        let highlight = asked.highlight.as_ref();
        Ok(Self {
            order: RowOrder::new(schema, &sort, Of::InnerRows(path))?,
            offset: count(asked.offset, 0),
            limit,
            highlighter: highlight
                .map(|highlight| Highlighter::parse(schema, highlight))
                .transpose()?,
        })
    }

    fn of(&self, nested: &NestedNode, doc: Doc<'_>) -> NestedHits {
        let mut hits: Vec<(Position<'static>, SearchHit)> = Vec::new();
        nested.path.inner_rows(doc, &mut |inner| {
            let Some(score) = nested.query.score(inner) else {
                return;
            };
            let mut hit = SearchHit::default();
            hit.score = self.order.needs_score().then_some(score);
            if let Doc::Inner(inner) = inner {
                hit.nested_doc_offset = u32::try_from(inner.offset).ok();
            }
            if let Some(highlighter) = &self.highlighter {
                hit.highlights = highlighter.highlight(&nested.query, inner);
            }
            hit.inner_hits = inner_hits(&nested.query, inner);
            hits.push((self.order.position(inner, score).into_owned(), hit));
        });
        hits.sort_by(|a, b| self.order.compare(&a.0, &b.0));
        let page = hits.into_iter().skip(self.offset).take(self.limit);
        NestedHits::new(&*nested.path.name, page.map(|(_, hit)| hit).collect())
    }
}

/// The inner rows that the nested queries of `query` return of a document.
pub(crate) fn inner_hits(query: &Node, doc: Doc<'_>) -> Vec<NestedHits> {
    let mut all = Vec::new();
    query.visit(&mut |node| {
        if let Node::Nested(nested) = node
            && let Some(wanted) = &nested.inner_hits
        {
            all.push(wanted.of(nested, doc));
        }
    });
    all
}

/// Whether some nested query of `query` returns inner rows.
pub(crate) fn wants_inner_hits(query: &Node) -> bool {
    let mut wants = false;
    query.visit(&mut |node| {
        wants |= matches!(node, Node::Nested(nested) if nested.inner_hits.is_some());
    });
    wants
}

/// The service's own numbers are not public.
const DEFAULT_LIMIT: usize = 3;
const MAX_LIMIT: usize = 100;
