//! What tasks of a scan fail with, and what the caller is told.

use std::io;

use ots_core::{Error, ErrorCode};

use crate::decode::DecodeError;
use crate::error::{ScanError, ScanErrorKind};
use crate::plan::NotAdvancing;
use crate::split::Split;

/// Why a scan can't go on as it was.
#[derive(Debug)]
pub(crate) enum Failure {
    Call {
        split: Split,
        page: u64,
        error: Error,
    },
    Damaged {
        split: Split,
        page: u64,
        /// How often the page was asked for.
        asked: u32,
        error: DecodeError,
    },
    NotAdvancing(NotAdvancing),
    /// No other session is to be had.
    Open(Error),
    /// What was given can't be written to disk, or read from it.
    Spill(io::Error),
    /// A token that was asked twice led on: what it read the first time is lost.
    TokenMoved(Split),
}

impl Failure {
    /// Whether nobody can go on in the session, also from a checkpoint that was taken before.
    pub(crate) fn ends_the_session(&self) -> bool {
        match self {
            Self::Call { error, .. } => error.code() == Some(&ErrorCode::SessionExpired),
            Self::TokenMoved(_) => true,
            _ => false,
        }
    }
}

impl From<Failure> for ScanError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Call { split, page, error } => {
                let kind = match error.code() {
                    Some(ErrorCode::SessionExpired) => ScanErrorKind::SessionExpired { split },
                    _ => ScanErrorKind::Call { split, page },
                };
                Self::new(kind).with_source(error)
            }
            Failure::Damaged {
                split,
                page,
                asked,
                error,
            } => {
                let error = match error.downcast::<Self>() {
                    // A page's own account of it.
                    Ok(error) if matches!(error.kind(), ScanErrorKind::Row { .. }) => {
                        return error.asked(asked);
                    }
                    Ok(error) => error,
                    Err(error) => error,
                };
                let damage = error.downcast_ref::<ots_proto::plainbuffer::Error>();
                let kind = match damage.map(ots_proto::plainbuffer::Error::row) {
                    // Never absent: a row that comes in a buffer of its own is always inside one.
                    Some(row) => ScanErrorKind::Row {
                        split,
                        page,
                        row: row.unwrap_or_default(),
                    },
                    None => ScanErrorKind::Decode { split, page },
                };
                Self::new(kind).with_source(error).asked(asked)
            }
            Failure::NotAdvancing(stuck) => Self::new(ScanErrorKind::NotAdvancing {
                split: stuck.split,
                pages: stuck.pages,
                has_rows: stuck.has_rows,
            }),
            Failure::Open(error) => Self::new(ScanErrorKind::Open).with_source(error),
            Failure::Spill(error) => Self::new(ScanErrorKind::Spill).with_source(error),
            Failure::TokenMoved(split) => Self::new(ScanErrorKind::TokenMoved { split }),
        }
    }
}
