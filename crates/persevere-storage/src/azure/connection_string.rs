//! Connection strings, <https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string>.

use super::options::public_endpoint;

/// What one says of the Blob service.
#[derive(Default)]
pub(super) struct ConnectionString {
    pub(super) account: Option<String>,
    pub(super) endpoint: Option<String>,
    /// The endpoint that follows from the account, where it is not said.
    pub(super) public: Option<String>,
    pub(super) key: Option<String>,
    pub(super) sas: Option<String>,
}

/// The emulator's account and key, which everybody knows,
/// <https://learn.microsoft.com/azure/storage/common/storage-use-azurite>.
pub(super) const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
pub(super) const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

impl ConnectionString {
    /// The error never repeats a value.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut found = Self::default();
        let (mut protocol, mut suffix) = ("https".to_owned(), "core.windows.net".to_owned());
        let (mut is_emulator, mut emulator_host) = (false, "http://127.0.0.1".to_owned());
        for (index, pair) in text.split(';').enumerate() {
            if pair.trim().is_empty() {
                continue;
            }
            let (name, value) = pair.split_once('=').ok_or_else(|| {
                format!("has no `=` in its field {}: it must be `NAME=VALUE;NAME=VALUE`", index + 1)
            })?;
            let value = value.trim().to_owned();
            match name.trim().to_ascii_lowercase().as_str() {
                "accountname" => found.account = Some(value),
                "accountkey" => found.key = Some(value),
                "sharedaccesssignature" => found.sas = Some(value),
                "blobendpoint" => found.endpoint = Some(value),
                "defaultendpointsprotocol" => protocol = value,
                "endpointsuffix" => suffix = value,
                "usedevelopmentstorage" => is_emulator = value.eq_ignore_ascii_case("true"),
                "developmentstorageproxyuri" => emulator_host = value,
                // Those of queues, tables and files are none of ours.
                _ => {}
            }
        }
        if is_emulator {
            let host = emulator_host.trim_end_matches('/');
            found.account = Some(EMULATOR_ACCOUNT.to_owned());
            found.key = Some(EMULATOR_KEY.to_owned());
            found.endpoint = Some(format!("{host}:10000/{EMULATOR_ACCOUNT}"));
        }
        if let (None, Some(account)) = (&found.endpoint, &found.account) {
            let endpoint = public_endpoint(account, &suffix);
            let endpoint = endpoint.map_err(|error| format!("does not fit: {error}"))?;
            found.public = Some(endpoint.replacen("https", &protocol, 1));
        }
        if found.endpoint.is_none() && found.public.is_none() {
            return Err("names neither AccountName nor BlobEndpoint".into());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_clouds() {
        let text = "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=a2V5PT0=;\
                    EndpointSuffix=core.chinacloudapi.cn;";
        let found = ConnectionString::parse(text).unwrap();
        assert_eq!(found.public.unwrap(), "https://acme.blob.core.chinacloudapi.cn");
        assert_eq!(found.key.unwrap(), "a2V5PT0=");
    }

    #[test]
    fn the_endpoint_goes_before_the_account() {
        let text = "accountname=dev;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:7/dev;\
                    QueueEndpoint=http://127.0.0.1:8/dev";
        let found = ConnectionString::parse(text).unwrap();
        assert_eq!(found.endpoint.unwrap(), "http://127.0.0.1:7/dev");
        assert_eq!(found.account.unwrap(), "dev");
    }

    #[test]
    fn one_that_names_nothing() {
        let error = ConnectionString::parse("AccountKey=hunter2").err().unwrap();
        assert!(error.contains("AccountName"), "{error}");
    }
}
