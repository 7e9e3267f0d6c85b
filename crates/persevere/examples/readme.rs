//! The three examples of the README, so that the compiler reads them too.
//!
//! `cargo run --example readme`

use std::error::Error;
use std::io;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use persevere::{CancellationToken, RetryExt, RetryPolicy, Retryer, permanent};

type BoxError = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let (url, disk, token) = ("https://example.org", "disk-0.vmdk", CancellationToken::new());
    let (client, db) = (Client, Db);

    // A name and a closure.
    let retryer = Retryer::new(RetryPolicy::balanced());
    let page = retryer.run("fetch page", |_| client.get(url)).await?;
    let rows = retryer.run_blocking("query", |_| db.query(SQL))?; // the same, without a runtime

    // Options for one call.
    let report = retryer
        .call("upload")
        .deadline(Duration::from_secs(600))
        .attempt_timeout(Duration::from_secs(60))
        .cancel_on(token)
        .run(|attempt| async move {
            let response = upload(disk, attempt.number()).await?;
            persevere::http::check(response.status, &response.headers)?; // Retry-After is heeded
            let report = response.body.parse::<u64>().map_err(permanent)?; // never worth a second try
            Ok::<_, BoxError>(report)
        })
        .await?;

    // One-off.
    let again = (|| client.get(url)).retry(RetryPolicy::aggressive()).await?;

    println!("{page} {rows} {report} {again}");
    Ok(())
}

const SQL: &str = "select 42";

struct Client;

impl Client {
    async fn get(&self, url: &str) -> io::Result<String> {
        Ok(format!("<page of {url}>"))
    }
}

struct Db;

impl Db {
    fn query(&self, sql: &str) -> io::Result<String> {
        Ok(sql.replace("select ", ""))
    }
}

struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

async fn upload(disk: &str, attempt: u32) -> io::Result<Response> {
    let body = (disk.len() as u32 * attempt).to_string();
    Ok(Response { status: StatusCode::OK, headers: HeaderMap::new(), body })
}
