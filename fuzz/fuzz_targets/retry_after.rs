#![no_main]

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use persevere::http::{parse_retry_after, retry_after};

fuzz_target!(|input: (u64, &[u8])| {
    let (seconds, value) = input;
    let Some(now) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds >> 24)) else { return };
    if let Ok(text) = std::str::from_utf8(value) {
        let _wait = parse_retry_after(text, now);
    }
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    for name in ["retry-after", "retry-after-ms", "x-ms-retry-after-ms"] {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), value.clone());
        let _wait = retry_after(&headers, now);
    }
});
