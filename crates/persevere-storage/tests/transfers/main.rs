//! What every provider must do, against real servers.
#![allow(clippy::unwrap_used)]

mod objects;
mod place;
mod resume;

macro_rules! providers {
    ($($provider:ident),*) => {
        $(mod $provider {
            use crate::place::{Place, $provider as place};

            tests!(objects: any_size_goes_there_and_back, what_was_there_is_replaced,
                names_are_kept_exactly, lists_have_all_of_it, what_is_gone_is_gone, pipes, copies,
                a_bucket_that_is_not_there);
            tests!(resume: an_interrupted_upload_goes_on, an_interrupted_download_goes_on,
                parts_that_nobody_wrote_down_are_found, an_upload_that_expired_is_begun_anew,
                what_is_given_up_is_gone, a_remote_that_changes_is_read_anew);
        })*
    };
}

macro_rules! tests {
    ($module:ident: $($test:ident),*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            let test = concat!(module_path!(), "::", stringify!($test));
            let Some(place) = place(test) else { return };
            let place: Place = place.for_test(test);
            crate::$module::$test(&place).await;
        })*
    };
}

providers!(local, s3s_fs, moto, versitygw, azurite, gcs, sftp);
