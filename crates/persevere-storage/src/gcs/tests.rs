//! Against moto, whose S3 is like Google's XML interface, fake-gcs-server, and a server that answers by
//! the byte.

mod answers;
mod peers;

use super::*;

fn http() -> HttpOptions {
    let stalled_after = std::time::Duration::from_secs(20);
    HttpOptions { stalled_after, ..HttpOptions::default() }
}

fn options(url: &str) -> GcsOptions {
    GcsOptions {
        endpoint: Some(url.to_owned()),
        access_token: Some(GcsAccessToken::new("token-of-tests")),
        ..GcsOptions::default()
    }
}

fn store(url: &str) -> Gcs {
    with(&options(url))
}

fn with(options: &GcsOptions) -> Gcs {
    Gcs::with_variables("test", options, &http(), &|_| None).unwrap()
}
