//! Whom a request really goes to.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// The proxies that the environment names, which are those that the client uses.
pub(super) struct Peers(Matcher);

impl Peers {
    pub(super) fn from_environment() -> Self {
        Self(Matcher::from_env())
    }

    /// Nothing lies between.
    pub(super) fn themselves() -> Self {
        Self(Matcher::builder().build())
    }

    /// The host and port, of a proxy if one lies between.
    pub(super) fn of(&self, uri: &Uri) -> Option<(String, u16)> {
        let proxy = self.0.intercept(uri);
        let uri = proxy.as_ref().map_or(uri, |proxy| proxy.uri());
        let port = uri.port_u16().or_else(|| match uri.scheme_str()? {
            "http" => Some(80),
            "https" => Some(443),
            "socks4" | "socks4a" | "socks5" | "socks5h" => Some(1080),
            _ => None,
        })?;
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        Some((host.to_owned(), port))
    }
}

#[cfg(test)]
impl From<Matcher> for Peers {
    fn from(matcher: Matcher) -> Self {
        Self(matcher)
    }
}

impl std::fmt::Debug for Peers {
    /// A proxy's URL may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Peers")
    }
}
