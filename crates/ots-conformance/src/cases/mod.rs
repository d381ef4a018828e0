//! What the service must do, as data: steps and what each must answer, the same for every SDK.
//!
//! A case is a few requests in neutral words, each with the answer or the error that the service's
//! description demands. A [`Runner`] does them one after another through an [SDK](crate::sdk::Sdk):
//! our own client, or an official one behind its driver. What a request is in the words of an SDK, and
//! how its answer is said in neutral ones, is the SDK's part; names, waiting and comparing are done here,
//! once for all.

mod exceptions;
mod file;
mod known;
mod matching;
mod outcome;
mod run;
mod setup;
pub(crate) mod value;

pub use exceptions::Exceptions;
pub use file::{Case, CaseFile, Need, load};
pub use outcome::{Outcome, Tally};
pub use run::{Runner, Venue};
