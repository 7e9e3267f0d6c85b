//! CRC-64/NVME, and stores that will not hear of it.

use http::HeaderMap;

use crate::error::ProviderError;
use crate::store::Checksums;
use crate::xml_api::{CopyResult, decoded_crc, encoded_crc};

pub(super) const VALUE: &str = "x-amz-checksum-crc64nvme";
pub(super) const TYPE: &str = "x-amz-checksum-type";
pub(super) const ALGORITHM: &str = "x-amz-checksum-algorithm";
pub(super) const MODE: &str = "x-amz-checksum-mode";
pub(super) const NAME: &str = "CRC64NVME";
pub(super) const WHOLE: &str = "FULL_OBJECT";

pub(super) fn written(crc64nvme: u64) -> String {
    encoded_crc(&crc64nvme.to_be_bytes())
}

/// That of the whole object, not of parts' checksums.
fn read(value: Option<&str>, kind: Option<&str>) -> Checksums {
    let is_whole = kind.is_none_or(|kind| kind.eq_ignore_ascii_case(WHOLE));
    let value = value.filter(|_| is_whole).and_then(decoded_crc).map(u64::from_be_bytes);
    Checksums { crc64nvme: value, crc32c: None }
}

pub(super) fn in_headers(headers: &HeaderMap) -> Checksums {
    let text = |name| headers.get(name)?.to_str().ok();
    read(text(VALUE), text(TYPE))
}

pub(super) fn in_result(result: &CopyResult) -> Checksums {
    read(result.crc64nvme.as_deref(), result.checksum_type.as_deref())
}

/// Whether a store refuses the headers as such. Cloudflare R2 answers 501 NotImplemented, Backblaze B2
/// 400 InvalidArgument, others InvalidRequest; each names the header.
pub(super) fn are_refused(error: &ProviderError) -> bool {
    let ProviderError { status, code, message, .. } = error;
    let names_it =
        message.as_deref().is_some_and(|it| it.to_ascii_lowercase().contains("checksum"));
    match code.as_deref() {
        Some("NotImplemented") => true,
        Some("InvalidArgument" | "InvalidRequest" | "InvalidHeader") => names_it,
        _ => *status == 501,
    }
}
