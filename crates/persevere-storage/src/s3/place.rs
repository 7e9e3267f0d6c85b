//! Where a bucket is asked for: a region, and an address.

use super::options::{S3Addressing, S3Options, can_stand_in_a_host, checked_region};
use super::profile::Profile;
use crate::error::StorageError;
use crate::http::Failure;
use crate::xml_api::{Address, Endpoint};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) address: Address,
    /// Whether the address follows from the region.
    is_amazons: bool,
    addressing: S3Addressing,
}

impl Place {
    pub(super) fn new(
        bucket: &str,
        options: &S3Options,
        profile: &Profile,
        ignores_endpoints: bool,
    ) -> Result<Self, StorageError> {
        let region = options.region.as_deref().or_else(|| profile.get("region"));
        let region = checked_region(region.unwrap_or("us-east-1"))?.to_owned();
        let of_profile = || profile.get("endpoint_url").filter(|_| !ignores_endpoints);
        let endpoint = match (&options.endpoint, of_profile()) {
            (Some(written), _) => Some(Endpoint::parse(written, "the endpoint of S3")?),
            (None, Some(written)) => {
                let setting = format!("endpoint_url of the {}", profile.description);
                Some(Endpoint::parse(written, &setting)?)
            }
            (None, None) => None,
        };
        let host = endpoint.as_ref().map(|endpoint| endpoint.authority.host().to_owned());
        let speaks_by_host = host.as_deref().is_none_or(is_amazons_host);
        let addressing = options.addressing.unwrap_or(match speaks_by_host {
            true if can_stand_in_a_host(bucket) => S3Addressing::VirtualHosted,
            _ => S3Addressing::Path,
        });
        if addressing == S3Addressing::VirtualHosted {
            check_virtual_hosted(bucket, host.as_deref())?;
        }
        if speaks_by_host && bucket.ends_with("--x-s3") {
            return Err(StorageError::Unsupported {
                what: format!(
                    "s3://{bucket}: directory buckets (S3 Express One Zone) are not supported"
                ),
            });
        }
        let address = address(bucket, &region, endpoint.as_ref(), addressing)?;
        Ok(Self { region, address, is_amazons: endpoint.is_none(), addressing })
    }

    /// Where to ask after this answer, if somewhere else.
    pub(super) fn after(
        &self,
        bucket: &str,
        failure: &Failure,
    ) -> Result<Option<Self>, StorageError> {
        let header = |name: &str| failure.headers.get(name)?.to_str().ok().map(str::to_owned);
        let error = &failure.error;
        let is_redirect = matches!(error.status, 301 | 302 | 307 | 308);
        let is_malformed = error.code.as_deref() == Some("AuthorizationHeaderMalformed")
            // An answer to HEAD says no more.
            || (error.status == 400 && error.code.is_none());
        if !is_redirect && !is_malformed {
            return Ok(None);
        }
        let region = header("x-amz-bucket-region")
            .or_else(|| failure.region.clone())
            .or_else(|| expected(error.message.as_deref()?));
        match region.filter(|region| *region != self.region) {
            Some(region) => self.moved(bucket, &region).map(Some),
            None if is_redirect => {
                let host = failure.endpoint.clone().or_else(|| header("location"));
                let host = host.map_or_else(
                    || "another place, and does not say which".to_owned(),
                    |host| {
                        format!("`{host}`, which may be set as the endpoint or AWS_ENDPOINT_URL_S3")
                    },
                );
                Err(StorageError::Setup {
                    message: format!(
                        "s3://{bucket} is not in the region {}: the server refers to {host}",
                        self.region
                    ),
                    source: Some(error.clone().into()),
                })
            }
            None => Ok(None),
        }
    }

    fn moved(&self, bucket: &str, region: &str) -> Result<Self, StorageError> {
        let region = checked_region(region)?.to_owned();
        let address = match self.is_amazons {
            true => address(bucket, &region, None, self.addressing)?,
            false => self.address.clone(),
        };
        Ok(Self { region, address, ..self.clone() })
    }
}

fn address(
    bucket: &str,
    region: &str,
    endpoint: Option<&Endpoint>,
    addressing: S3Addressing,
) -> Result<Address, StorageError> {
    let amazons;
    let endpoint = match endpoint {
        Some(endpoint) => endpoint,
        None => {
            let china = if region.starts_with("cn-") { ".cn" } else { "" };
            let written = format!("https://s3.{region}.amazonaws.com{china}");
            amazons = Endpoint::parse(&written, "the endpoint of S3")?;
            &amazons
        }
    };
    Ok(match addressing {
        S3Addressing::Path => Address::path_style(endpoint, bucket),
        S3Addressing::VirtualHosted => Address::virtual_hosted(endpoint, bucket),
    })
}

fn is_amazons_host(host: &str) -> bool {
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

fn check_virtual_hosted(bucket: &str, host: Option<&str>) -> Result<(), StorageError> {
    let wrong = |why: String| Err(StorageError::setup(format!("{why}: use path-style addressing")));
    if !can_stand_in_a_host(&bucket.replace('.', "-")) {
        return wrong(format!("the bucket's name `{bucket}` cannot stand in a host's name"));
    }
    match host {
        Some(host) if host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok() => {
            wrong(format!("the bucket's name cannot stand before the address {host}"))
        }
        _ => Ok(()),
    }
}

/// "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'"
fn expected(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("expecting '")?;
    Some(rest.split_once('\'')?.0.to_owned())
}
