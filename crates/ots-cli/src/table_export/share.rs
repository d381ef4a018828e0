//! What one of the threads that write a table makes of its pages: one file a round.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use ots_arrow::RecordBatchBuilder;
use ots_scan::TablePage;

use super::writers::{Content, RoundError};
use crate::sink::{FinishedPart, PartWriter, Parts};
use crate::value_json;

/// What one thread is at.
pub(super) struct Share {
    parts: Parts,
    thread: usize,
    round: u32,
    /// The file, if there was a row for it.
    part: Option<PartWriter>,
    form: Form,
}

enum Form {
    Columns {
        schema: SchemaRef,
        builder: Box<RecordBatchBuilder>,
        /// The batch that was written last: its memory serves the next.
        spare: Option<RecordBatch>,
        /// The range and the number of the latest page.
        page: (u32, u64),
    },
    Lines(String),
}

impl Share {
    pub(super) fn new(parts: Parts, content: &Content, thread: usize, round: u32) -> Self {
        let form = match content {
            Content::Lines => Form::Lines(String::new()),
            Content::Columns { schema, only_these } => {
                let builder = RecordBatchBuilder::new(schema);
                Form::Columns {
                    schema: schema.arrow_schema(),
                    builder: Box::new(if *only_these {
                        builder.refuse_other_columns()
                    } else {
                        builder
                    }),
                    spare: None,
                    page: (0, 0),
                }
            }
        };
        Self {
            parts,
            thread,
            round,
            part: None,
            form,
        }
    }

    /// Adds the rows of a page to the file.
    pub(super) fn write(&mut self, page: &TablePage) -> Result<(), RoundError> {
        if page.row_count() == 0 {
            return Ok(());
        }
        match &mut self.form {
            Form::Columns {
                builder,
                spare,
                page: latest,
                ..
            } => {
                *latest = (page.range(), page.index());
                if builder.rows() == 0
                    && let Some(written) = spare.take()
                {
                    builder.recycle(written);
                }
                builder
                    .append_buffer(page.buffer())
                    .map_err(|source| decode(*latest, source))?;
                if builder.rows() >= BATCH_ROWS || builder.filled_bytes() >= BATCH_BYTES {
                    self.flush()?;
                }
            }
            Form::Lines(lines) => {
                lines.clear();
                let mut rows = page.reader().map_err(RoundError::Page)?;
                // Not the page's own count: it is to be compared with this one.
                let mut row_count = 0;
                while let Some(row) = rows
                    .next_row()
                    .map_err(|error| decode((page.range(), page.index()), error.into()))?
                {
                    value_json::write_row_ref(lines, row);
                    row_count += 1;
                }
                let part = open(&mut self.part, &self.parts, (self.thread, self.round), None)?;
                part.write_lines(lines, row_count)
                    .map_err(RoundError::Sink)?;
            }
        }
        Ok(())
    }

    /// Writes the rows of the batch that is being made.
    fn flush(&mut self) -> Result<(), RoundError> {
        if let Form::Columns {
            schema,
            builder,
            spare,
            page,
        } = &mut self.form
            && builder.rows() > 0
        {
            let batch = builder.finish().map_err(|source| decode(*page, source))?;
            let place = (self.thread, self.round);
            let part = open(&mut self.part, &self.parts, place, Some(schema))?;
            part.write(&batch).map_err(RoundError::Sink)?;
            *spare = Some(batch);
        }
        Ok(())
    }

    /// Finishes the file, if there was a row for it.
    pub(super) fn close(&mut self) -> Result<Option<FinishedPart>, RoundError> {
        self.flush()?;
        self.round += 1;
        let finished = self.part.take().map(PartWriter::finish);
        finished.transpose().map_err(RoundError::Sink)
    }
}

/// The file of a thread in a round.
fn open<'p>(
    part: &'p mut Option<PartWriter>,
    parts: &Parts,
    (thread, round): (usize, u32),
    schema: Option<&SchemaRef>,
) -> Result<&'p mut PartWriter, RoundError> {
    if part.is_none() {
        let opened = parts.open(thread, round, schema);
        *part = Some(opened.map_err(RoundError::Sink)?);
    }
    part.as_mut().ok_or(RoundError::Thread)
}

const fn decode((range, page): (u32, u64), source: ots_arrow::Error) -> RoundError {
    RoundError::Decode {
        range,
        page,
        source,
    }
}

/// Enough rows for an encoder to work well.
const BATCH_ROWS: usize = 8_192;
const BATCH_BYTES: usize = 2 * 1024 * 1024;
