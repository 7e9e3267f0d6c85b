//! Against s3s-fs, moto, versitygw, and a server that answers by the byte.

mod answers;
mod credentials;
mod peers;

use super::*;
use persevere_peers::S3Peer;

fn http() -> HttpOptions {
    let stalled_after = std::time::Duration::from_secs(20);
    HttpOptions { stalled_after, ..HttpOptions::default() }
}

/// With keys, and nothing from this machine's environment.
fn options(url: &str) -> S3Options {
    S3Options {
        endpoint: Some(url.to_owned()),
        access_key: Some(S3AccessKey::new("persevere-access", "persevere-secret")),
        ..S3Options::default()
    }
}

fn store(url: &str) -> S3 {
    with(&options(url))
}

fn with(options: &S3Options) -> S3 {
    S3::with_variables("test", options, &http(), &|_| None).unwrap()
}

fn of(peer: &S3Peer) -> S3 {
    let access_key = Some(S3AccessKey::new(peer.access_key, peer.secret_key));
    S3::with_variables(
        peer.bucket,
        &S3Options { access_key, ..options(&peer.url) },
        &http(),
        &|_| None,
    )
    .unwrap()
}
