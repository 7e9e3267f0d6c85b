//! Transfers over lines that fail, to and from real servers: they always arrive, whole, and leave nothing
//! behind.
#![allow(clippy::unwrap_used)]

mod again;
mod answers;
mod changes;
mod credentials;
mod disk;
mod line;
mod place;
mod random;
mod refusals;
mod server;
mod uploads;

/// Makes a test for a server of each scenario.
macro_rules! tests {
    ($peer:ident: $($module:ident: $($test:ident),*);* $(;)?) => {
        mod $peer {
            $($(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let test = concat!(module_path!(), "::", stringify!($test));
                let Some(peer) = crate::place::$peer(test) else { return };
                crate::$module::$test(&peer.place(test).await).await;
            })*)*
        }
    };
}

tests!(s3s_fs:
    line: resets_up, resets_down, a_stall_up, a_stall_down, a_truncated_download, an_outage_that_refuses,
        an_outage_in_silence, an_outage_that_nobody_knows_of;
    answers: slow_down, too_many_requests, an_internal_error_at_the_end, an_internal_error_after_the_end,
        an_upload_that_is_said_to_be_gone, the_lost_answer_to_the_end, the_lost_answer_to_a_part,
        the_lost_answer_to_a_whole_object;
    uploads: an_upload_that_expires_in_between, an_upload_that_expires_in_the_middle, a_torn_journal, two_at_once,
        no_faults_at_all;
    changes: a_source_that_changes, a_source_that_grows, a_source_that_shrinks);

tests!(versitygw:
    answers: an_internal_error_at_the_end, an_internal_error_after_the_end, an_upload_that_is_said_to_be_gone,
        the_lost_answer_to_the_beginning, the_lost_answer_to_the_end, the_lost_answer_to_a_part;
    uploads: an_upload_that_expires_in_between, an_upload_that_expires_in_the_middle, a_torn_journal,
        no_faults_at_all;
    changes: a_source_that_changes, a_source_that_grows, a_source_that_shrinks, a_remote_that_changes,
        a_remote_that_shrinks);

tests!(azurite:
    line: resets_up, resets_down, a_stall_up, a_stall_down, a_truncated_download, an_outage_that_refuses,
        an_outage_that_nobody_knows_of;
    answers: slow_down, the_lost_answer_to_the_end, the_lost_answer_to_a_part,
        the_lost_answer_to_a_whole_object;
    uploads: an_upload_that_expires_in_between, an_upload_that_expires_in_the_middle, a_torn_journal, two_at_once,
        no_faults_at_all;
    changes: a_source_that_changes, a_source_that_grows, a_source_that_shrinks, a_remote_that_changes,
        a_remote_that_shrinks);

// The server says of every upload that it was begun in 2010, so that none is taken for one that was just begun, and
// has no words for a part of an upload that is gone.
tests!(gcs:
    answers: an_internal_error_at_the_end, an_internal_error_after_the_end,
        an_upload_that_is_said_to_be_gone, the_lost_answer_to_the_end, the_lost_answer_to_a_part;
    uploads: an_upload_that_expires_in_between, a_torn_journal, no_faults_at_all;
    changes: a_source_that_changes, a_source_that_grows, a_source_that_shrinks, a_remote_that_changes,
        a_remote_that_shrinks);

tests!(sshd:
    line: connections_reset_up, connections_reset_down, a_stall_up, a_stall_down, an_outage_that_refuses,
        an_outage_in_silence, an_outage_that_nobody_knows_of;
    uploads: an_upload_that_expires_in_between, an_upload_that_expires_in_the_middle, a_torn_journal, two_at_once,
        no_faults_at_all;
    changes: a_source_that_changes, a_source_that_grows, a_source_that_shrinks, a_remote_that_changes,
        a_remote_that_shrinks);
