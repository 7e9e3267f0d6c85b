//! The S3 server alone, for benchmarks: `s3_server FOLDER ACCESS_KEY SECRET_KEY`. It prints where it is, and
//! ends with its standard input.
#![allow(clippy::unwrap_used)]

use std::io::Read;

use persevere_faults::S3Server;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, access, secret] = &arguments[..] else {
        eprintln!("usage: s3_server FOLDER ACCESS_KEY SECRET_KEY");
        std::process::exit(2);
    };
    let server = S3Server::start(folder, access, secret).unwrap();
    println!("{}", server.url());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
