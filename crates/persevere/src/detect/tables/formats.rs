//! Data that cannot be read: the same bytes will not read better the next time.
//!
//! Sources: the messages of serde_json, toml, `std::num` and `std::str`; Go's `encoding/json`,
//! `strconv`, `net/url`; CPython's `json`,
//! `int()`, `codecs`; V8's JSON and syntax errors; Jackson and Gson; zlib, gzip, tar, zip, lz4, zstd.

use super::Entry;
use crate::detect::evidence::Rank::Vague;
use crate::verdict::Kind::Invalid;

#[rustfmt::skip]
pub(super) const PHRASES: &[Entry] = &[
    Entry::stop(Vague, Invalid, "text.unreadable_data",
        &["could not convert string to float", "provided string was not", "did not contain valid utf-8", "incomplete utf-8", "can't decode byte",
          "can't encode character", "unexpected token", "unexpected identifier", "unexpected character", "unexpected end of input",
          "unexpected non-whitespace", "json.parse", "looking for beginning of value", "after top-level value", "after object key",
          "expected value:", "expecting value", "expecting property name", "expecting ',' delimiter", "expected `", "trailing characters",
          "trailing comma", "unterminated string", "extra data", "eof while parsing", "unknown field", "unknown variant", "missing field",
          "duplicate field", "invalid type:", "invalid value:", "toml parse error", "tomldecodeerror", "yaml:", "mapping values are not allowed",
          "found character that cannot start", "jsondecodeerror", "json decode", "json parse", "jsonparseexception", "jsonsyntaxexception",
          "mismatchedinputexception", "unrecognizedpropertyexception", "numberformatexception", "datetimeparseexception", "malformedurlexception",
          "malformedinputexception", "urisyntaxexception", "saxparseexception", "xml parse", "not well-formed", "content is not allowed in prolog",
          "strconv.", "syntax error", "syntaxerror", "parsing time", "missing port in address", "first path segment in url", "empty host",
          "not a gzip file", "not in gzip format", "gzip: invalid header", "not a bzip2 file", "not a zip file", "badzipfile", "crc check failed",
          "crc error", "magic number", "zlib: invalid", "zlib error", "not look like a tar archive", "unexpected end of archive",
          "unexpected eof in archive", "skipping to next header", "truncated header", "unsupported compression", "could not decompress",
          "file is truncated", "file could not be opened successfully", "odd-length string", "non-hexadecimal", "no json object could be decoded",
          "unable to parse", "failed to decode", "decode error", "decoding error", "deserialization", "deserialize", "serialization error",
          "error unmarshaling", "unmarshal", "parse exception", "parseerror", "locationparseerror", "invalidurl", "invalidschema", "missingschema"]),
];
