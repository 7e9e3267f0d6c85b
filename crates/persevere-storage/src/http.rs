//! HTTP, as the object stores need it: one request, watched for progress, and an answer or an error
//! that says everything the server said.

mod body;
mod chain;
mod client;
mod credentials;
mod failure;
mod fetch;
mod pace;
mod peer;
#[cfg(test)]
mod tests;

pub(crate) use body::Outgoing;
pub(crate) use chain::{Chain, Source};
pub use client::HttpOptions;
pub(crate) use client::{HttpAnswer, HttpClient};
pub(crate) use credentials::{Credentials, context};
#[cfg(feature = "s3")]
pub(crate) use failure::Failure;
