//! HTTP, as the object stores need it: one request, watched for progress, and an answer or an error
//! that says everything the server said.

mod body;
mod client;
mod credentials;
mod failure;
mod peer;
#[cfg(test)]
mod tests;

pub(crate) use body::Outgoing;
pub use client::HttpOptions;
pub(crate) use client::{HttpAnswer, HttpClient};
pub(crate) use credentials::{Credentials, context};
