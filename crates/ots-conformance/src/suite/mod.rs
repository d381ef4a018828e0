//! What our own client must do, wherever the service is.
//!
//! A check is an async function over a [`Place`]: a client, and names that nobody else uses there. It
//! fails by panicking, as a test does, and knows nothing of what answers: the emulator in this process,
//! the emulator behind a socket, a real instance. So it claims nothing that depends on how the service
//! cuts pages or splits, beyond what was asked for; that is for tests of the emulator alone.
//!
//! [`for_each_check`](crate::for_each_check) is the list of all checks, for those who run them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, in a library only so that several places can run them"
)]

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use ots_core::Client;

pub mod answers;
pub mod arrow;
pub mod batches;
pub mod conditions;
pub mod paging;
mod place;
pub mod ranges;
pub mod rows;
pub mod scans;
pub mod search;
pub mod splits;
pub mod table_scans;
pub mod tables;

pub(crate) use place::bounds;
pub use place::{
    INDEX, Place, canonical, in_key_order, insert_request, key, read_range, released, scan_rows,
};

/// A check, boxed so that checks can stand in a list.
pub type Check = for<'p> fn(&'p Place) -> BoxFuture<'p, ()>;

/// Runs a check in a place of its own, whose tables are removed however it ends.
///
/// # Panics
/// When the check fails.
pub async fn hold(client: Client, check: Check) {
    hold_at(Place::new(client), check).await;
}

/// As [`hold`], in a place that was made before.
///
/// # Panics
/// When the check fails.
pub async fn hold_at(place: Place, check: Check) {
    let outcome = AssertUnwindSafe(check(&place)).catch_unwind().await;
    let removed = place.remove_tables().await;
    if let Err(panic) = outcome {
        // What the check has to say comes first.
        resume_unwind(panic);
    }
    removed.unwrap();
}

/// Gives a macro the names of all checks, by module: the one list of them.
///
/// ```
/// macro_rules! count {
///     ($($module:ident { $($check:ident)+ })+) => { [$($(stringify!($check)),+),+].len() };
/// }
/// assert!(ots_conformance::for_each_check!(count) > 40);
/// ```
#[macro_export]
macro_rules! for_each_check {
    ($then:ident) => {
        $then! {
            tables {
                a_created_table_is_listed_and_described
                an_update_changes_what_it_names_and_keeps_the_rest
                a_table_that_exists_is_not_created_again
                a_deleted_table_is_gone
            }
            rows {
                every_value_is_read_as_it_was_written
                a_row_that_does_not_exist_is_no_error
                a_put_replaces_the_whole_row
                an_update_changes_single_cells_and_versions
                a_read_returns_the_columns_versions_and_times_it_asks_for
                an_increment_returns_the_new_value
                increments_at_the_same_time_all_count
                a_generated_key_is_returned_and_can_be_read
                a_deleted_row_is_gone_and_may_be_deleted_again
            }
            conditions {
                a_row_that_must_not_be_there_is_not_overwritten
                a_row_that_must_be_there_is_not_created
                a_condition_on_a_column_guards_every_write
            }
            batches {
                a_batch_answers_every_change_in_its_place
                a_batch_returns_what_each_change_asks_for
                a_batch_reads_every_key_in_its_place
                a_row_that_no_table_takes_fails_alone
                a_batch_writer_tells_of_every_change_and_keeps_the_order_of_a_row
            }
            ranges {
                a_range_begins_at_its_start_and_ends_before_its_end
                only_the_absence_of_a_next_key_ends_a_range
                a_range_of_chosen_columns_leaves_out_rows_without_them
                a_range_that_cannot_be_is_not_sent
                an_absent_table_is_named_by_the_error
            }
            search {
                an_index_lives_from_its_creation_to_its_deletion
                pages_by_token_give_every_match_once
                pages_by_token_keep_the_order_of_the_first
                queries_find_what_they_say
                a_search_sorts_counts_and_skips
                an_absent_index_is_told_from_an_empty_one
            }
            answers {
                queries_of_words_and_patterns_find_what_they_say
                scores_decide_where_they_are_asked_to
                aggregations_see_every_match
                group_bys_cut_the_matches
                a_composite_is_paged_to_its_end
                a_sum_of_texts_is_refused
            }
            splits {
                the_shares_of_a_session_are_the_table
                a_share_ends_with_a_page_without_a_token
                a_page_asked_for_twice_comes_twice
                without_a_session_one_share_is_the_table
            }
            paging {
                rows_and_pages_are_the_range_both_ways
                a_filter_gives_the_rows_that_pass
                a_limit_of_rows_is_kept_and_can_be_resumed
                a_resume_point_kept_as_bytes_loses_and_repeats_nothing
                a_resume_point_belongs_to_its_range
                a_page_by_offset_is_a_slice_of_the_range
                pages_by_offset_go_anywhere_and_back
                a_row_is_read_by_pages_of_columns
                a_search_is_paged_within_its_window_and_beyond
                page_tokens_of_a_search_go_on_in_another_request
                versions_are_paged_too
            }
            table_scans {
                every_row_of_a_table_comes_once_whatever_the_bounds
                bounds_columns_and_a_filter_go_to_the_table
                a_table_scan_goes_on_from_its_bytes
                a_table_that_is_not_there_cannot_be_scanned
            }
            scans {
                every_row_comes_once_whatever_the_bounds
                pages_of_a_split_come_in_order_and_are_counted
                lent_rows_are_the_owned_ones
                a_scan_finds_what_a_search_finds
                a_scan_of_keys_has_no_cells
                a_scan_returns_the_columns_it_asks_for
                two_scans_share_permits
                an_absent_index_cannot_be_opened
                a_column_that_is_not_in_the_index_fails_the_scan
                a_dropped_scan_leaves_the_client_usable
            }
            arrow {
                batches_of_a_scan_are_its_rows
                batches_of_a_scan_of_chosen_columns_are_its_rows
                batches_of_a_range_are_its_rows
            }
        }
    };
}

#[cfg(test)]
mod tests {
    macro_rules! names {
        ($($module:ident { $($check:ident)+ })+) => {
            [$((stringify!($module), include_str!(concat!(stringify!($module), ".rs")),
                vec![$(stringify!($check)),+])),+]
        };
    }

    #[test]
    fn every_check_of_a_module_is_in_the_list() {
        for (module, source, listed) in for_each_check!(names) {
            let written: Vec<&str> = source
                .lines()
                .filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next())
                .collect();
            assert_eq!(listed, written, "{module}");
        }
    }
}
