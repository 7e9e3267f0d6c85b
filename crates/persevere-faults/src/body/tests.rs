use proptest::prelude::*;

use super::{Framing, Scan};

/// Feeds the bytes in pieces: what passed, and how much of it was data.
fn pass(mut framing: Framing, bytes: &[u8], piece: usize, most: u64) -> (Vec<u8>, u64, bool) {
    let (mut passed, mut data, mut start) = (Vec::new(), 0, 0);
    loop {
        let end = bytes.len().min(start + piece.max(1));
        if start == end || data == most {
            return (passed, data, false);
        }
        let scan = framing.scan(&bytes[start..end], most - data).unwrap();
        passed.extend_from_slice(&bytes[start..start + scan.bytes]);
        (data, start) = (data + scan.data, start + scan.bytes);
        if scan.end {
            return (passed, data, true);
        }
    }
}

const CHUNKED: &[u8] =
    b"5\r\nhello\r\n1;name=\"v\"\r\n \r\n0A\r\n0123456789\r\n0\r\nx-sum: 1\r\n\r\n";

#[test]
fn chunks_end_where_they_say() {
    let mut bytes = CHUNKED.to_vec();
    bytes.extend_from_slice(b"GET / HTTP/1.1\r\n");
    for piece in 1..bytes.len() {
        let passed = pass(Framing::chunked(), &bytes, piece, u64::MAX);
        assert_eq!(passed, (CHUNKED.to_vec(), 16, true), "in pieces of {piece}");
    }
}

#[test]
fn the_limit_counts_data_alone() {
    for piece in 1..CHUNKED.len() {
        let (passed, data, end) = pass(Framing::chunked(), CHUNKED, piece, 8);
        assert_eq!(
            (passed.as_slice(), data, end),
            (&CHUNKED[..31], 8, false),
            "in pieces of {piece}"
        );
    }
}

#[test]
fn what_is_no_chunk_is_an_error() {
    for bytes in ["x\r\n", "-1\r\n", "11111111111111111\r\n", "1\r\nab"] {
        let error = Framing::chunked().scan(bytes.as_bytes(), u64::MAX).unwrap_err();
        assert!(error.to_string().starts_with("in a chunked body, "), "{error}");
    }
}

#[test]
fn a_length_ends_after_so_many_bytes() {
    let mut framing = Framing::Length(5);
    assert_eq!(framing.scan(b"abc", 99).unwrap(), Scan { bytes: 3, data: 3, end: false });
    assert_eq!(framing.scan(b"defgh", 99).unwrap(), Scan { bytes: 2, data: 2, end: true });
}

proptest! {
    #[test]
    fn any_chunks_pass_as_they_are(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..8), piece in 1_usize..400) {
        let mut bytes = Vec::new();
        for chunk in &chunks {
            bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend(chunk);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        let data = chunks.iter().map(Vec::len).sum::<usize>() as u64;
        let passed = pass(Framing::chunked(), &bytes, piece, u64::MAX);
        prop_assert_eq!(passed, (bytes, data, true));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), most in 1_u64..100) {
        let _refused = Framing::chunked().scan(&bytes, most);
    }
}
