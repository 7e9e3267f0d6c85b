#![no_main]

use libfuzzer_sys::fuzz_target;
use persevere::detect::{self, Detector};

fuzz_target!(|text: &str| {
    let verdict = detect::text(text);
    assert_eq!(verdict, Detector::new().body(text.as_bytes()));
    assert!(verdict.evidence().len() < 200);
    let _sentence = verdict.to_string();
});
