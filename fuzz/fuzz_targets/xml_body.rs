#![no_main]

use libfuzzer_sys::fuzz_target;
use persevere::Provider;
use persevere::detect::Detector;

fuzz_target!(|input: (u16, &[u8])| {
    let (status, body) = input;
    let status = 100 + status % 500;
    for provider in Provider::ALL {
        let verdict = Detector::new().provider(provider).answer(status, body);
        assert_eq!(verdict.http_status(), Some(status));
        assert!(verdict.has_answer());
    }
});
