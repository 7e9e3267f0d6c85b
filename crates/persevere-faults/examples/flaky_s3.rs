//! An S3 server that fails now and then, for any client to try itself on:
//!
//! ```console
//! $ cargo run -p persevere-faults --features s3-server --example flaky_s3
//! ```
//!
//! It prints what a client needs and runs until its input ends (Ctrl-D); then it prints what happened.
#![allow(clippy::unwrap_used)]

use std::io::Read;

use persevere_faults::{At, Fault, FaultProxy, Plan, Rule, S3Server};

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let server = S3Server::start(folder.path(), "access", "secret").unwrap();
    server.create_bucket("test").unwrap();
    let plan = match std::env::args().nth(1).as_deref() {
        Some("healthy") => Plan::new(),
        _ => Plan::new()
            .seed(1)
            .rule(Rule::new(Fault::LoseAnswer).method("POST").path_contains("uploadId=").nth(1))
            .rule(
                Rule::new(Fault::ResetRequest(At::Anywhere)).path_contains("partNumber=").every(5),
            )
            .rule(Rule::new(Fault::ResetAnswer(At::Anywhere)).method("GET").every(4))
            .rule(Rule::new(Fault::slow_down(Some(1))).probability(0.1)),
    };
    let proxy = FaultProxy::http(server.address(), plan).unwrap();
    println!("export AWS_ACCESS_KEY_ID=access AWS_SECRET_ACCESS_KEY=secret AWS_REGION=us-east-1");
    println!("export AWS_ENDPOINT_URL={} # without faults: {}", proxy.url(), server.url());
    println!("# the bucket is s3://test");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    for exchange in proxy.exchanges() {
        println!("{exchange:?}");
    }
    println!("{:?}", proxy.counters());
}
