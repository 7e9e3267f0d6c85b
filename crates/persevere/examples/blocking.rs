//! Without any runtime: a worker that waits for a file another program writes, and knows which
//! errors are worth waiting for.
//!
//! `cargo run --example blocking`

use std::io;
use std::time::Duration;

use persevere::{Jitter, RetryPolicy, Retryer, permanent, transient};

type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let path = std::env::temp_dir().join(format!("persevere-example-{}", std::process::id()));
    let writer = {
        let path = path.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150));
            std::fs::write(path, "42")
        })
    };

    let policy = RetryPolicy::builder()
        .max_attempts(20)
        .initial_delay(Duration::from_millis(20))
        .jitter(Jitter::Full)
        .build()?;
    let answer = Retryer::new(policy).run_blocking("read answer", |_| {
        let text = match std::fs::read_to_string(&path) {
            // Detection would call this final; here the file is about to appear.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(transient(error)),
            other => other.map_err(permanent)?,
        };
        // And this can never get better.
        text.parse::<u32>().map_err(permanent)
    })?;
    println!("the answer is {answer}");

    writer.join().map_err(|_| "the writer panicked")??;
    std::fs::remove_file(path)?;
    Ok(())
}
