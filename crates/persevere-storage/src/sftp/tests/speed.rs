//! How fast it is, beside scp on the same server. To be run by hand, with `--release --ignored`.

use std::fs;
use std::process::Command;
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::sshd::{Sshd, run};
use super::{options, store};
use crate::digest::Digest;
use crate::local::LocalStore;
use crate::meter::Meter;
use crate::store::{PartPlace, Payload, Store, Upload, Whole};
use crate::testing::job;

const PART: u64 = 16 * 1024 * 1024;
const SIZE: u64 = 256 * 1024 * 1024;

async fn transfer(
    from: &impl Store,
    from_key: &str,
    to: &impl Store,
    to_key: &str,
    at_once: usize,
) {
    let id = to.begin_upload(to_key, &job("speed")).await.unwrap();
    let parts = (0..SIZE).step_by(PART as usize).zip(1..).map(|(offset, number)| {
        let id = &id;
        async move {
            let range = offset..SIZE.min(offset + PART);
            let pieces: Vec<bytes::Bytes> =
                from.read(from_key, range, None).await.unwrap().try_collect().await.unwrap();
            let bytes = match <[_; 1]>::try_from(pieces) {
                Ok([piece]) => piece,
                Err(pieces) => pieces.concat().into(),
            };
            // The engine works out the checksums, which is not measured here.
            let payload = Payload { bytes, digest: Digest::default() };
            let upload = Upload { key: to_key, id };
            let place = PartPlace { number, offset };
            to.put_part(upload, place, &payload, &Meter::default()).await.unwrap();
        }
    });
    stream::iter(parts).buffer_unordered(at_once).collect::<Vec<()>>().await;
    let attributes = job("speed");
    let digest = Digest { length: SIZE, ..Digest::default() };
    let whole = Whole { digest, attributes: &attributes };
    to.finish_upload(Upload { key: to_key, id: &id }, &[], &whole).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, and says nothing of right or wrong"]
async fn beside_scp() {
    let Some(sshd) = Sshd::start() else { return };
    let source = sshd.beside("source");
    let mut random = fs::File::open("/dev/urandom").unwrap();
    let mut file = fs::File::create(&source).unwrap();
    std::io::copy(&mut std::io::Read::take(&mut random, SIZE), &mut file).unwrap();
    let (source, back) = (source.display().to_string(), sshd.beside("back").display().to_string());
    let remote = sshd.folder.join("remote").display().to_string();
    let host = format!("{}@127.0.0.1:{remote}", sshd.user);
    let scp = |cipher: &str, from: &str, to: &str| {
        let mut scp = Command::new("scp");
        scp.args(["-q", "-F", "none", "-P", &sshd.address.port().to_string(), "-c", cipher]);
        scp.arg("-i").arg(&sshd.key);
        scp.arg("-o").arg(format!("UserKnownHostsFile={}", sshd.known_hosts.display()));
        run(scp.args([from, to])).unwrap();
    };
    let shown = |what: &str, (begun, before): (Instant, u64)| {
        let (seconds, processor) = (begun.elapsed().as_secs_f64(), processor_time() - before);
        let speed = SIZE as f64 / 1e6 / seconds;
        println!("{what:<24} {speed:>6.0} MB/s {processor:>6}0 ms of processor time");
    };
    let now = || (Instant::now(), processor_time());
    let local = LocalStore::new();
    for round in 0..5 {
        println!("round {round}");
        for cipher in ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com"] {
            let begun = now();
            scp(cipher, &source, &host);
            shown(&format!("scp up {cipher:.10}"), begun);
            let begun = now();
            scp(cipher, &host, &back);
            shown(&format!("scp down {cipher:.10}"), begun);
        }
        for at_once in [1, 8] {
            let sftp = store(&sshd, options(&sshd)).0;
            let begun = now();
            transfer(&local, &source, &sftp, &remote, at_once).await;
            shown(&format!("ours up, {at_once} at once"), begun);
            let begun = now();
            transfer(&sftp, &remote, &local, &back, at_once).await;
            shown(&format!("ours down, {at_once} at once"), begun);
        }
        assert!(fs::read(&source).unwrap() == fs::read(&back).unwrap());
    }
}

/// In hundredths of a second: of this process, and of those that it has waited for. The server is in
/// neither.
fn processor_time() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(4).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
