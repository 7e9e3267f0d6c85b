//! HTTP/1.1 through the proxy: one exchange after the other on each connection.

use std::io;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::answer::Answer;
use crate::connection::{Context, Ending, Pair};
use crate::gate::View;
use crate::head::{self, RequestHead};
use crate::log::Entry;
use crate::pump::{Flow, Pumped, fill, pump};
use crate::{Fault, Outage, exchange};

/// What was read of both connections, and is not passed on yet.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    pub(crate) client: BytesMut,
    pub(crate) server: BytesMut,
}

/// What follows an exchange.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Another one.
    Request,
    /// Nothing.
    End(Ending),
}

pub(crate) async fn serve(
    context: &Context,
    pair: &mut Pair,
    mut view: View,
    connection: u64,
) -> Ending {
    let mut buffers = Buffers::default();
    loop {
        let head = match next_request(pair, &mut buffers).await {
            Ok(Some(head)) => head,
            Ok(None) => return Ending::Close,
            Err(_) => return Ending::Reset,
        };
        view.passable().await;
        let bytes = buffers.client.split_to(head.bytes);
        let next = one(context, pair, &mut buffers, &mut view, (head, &bytes, connection)).await;
        if let Next::End(ending) = next {
            return ending;
        }
    }
}

/// The head of the next request; none if a connection ends before there is one.
async fn next_request(pair: &mut Pair, buffers: &mut Buffers) -> io::Result<Option<RequestHead>> {
    loop {
        if let Some(head) = head::request(&buffers.client)? {
            return Ok(Some(head));
        }
        tokio::select! {
            biased;
            read = fill(&mut pair.client, &mut buffers.client) => if read? == 0 { return Ok(None) },
            // A server that closes an idle connection is seen by the client too.
            () = ended(pair.server.as_ref()) => match buffers.client.is_empty() {
                true => return Ok(None),
                false => pair.server = None,
            },
        }
    }
}

/// Waits until the server's connection ends, or says something unasked, which is to the same effect.
async fn ended(server: Option<&TcpStream>) {
    let Some(server) = server else { return std::future::pending().await };
    loop {
        let _error = server.readable().await;
        match server.try_read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            _ => return,
        }
    }
}

/// One request and what becomes of it.
async fn one(
    context: &Context,
    pair: &mut Pair,
    buffers: &mut Buffers,
    view: &mut View,
    (head, bytes, connection): (RequestHead, &[u8], u64),
) -> Next {
    let entry = context.log.begin(connection, &head.request, head.framing.length());
    let mut decision = context.decide(&head.request);
    let pace = context.pace();
    match decision.as_ref().map(|decision| &decision.fault) {
        Some(Fault::Answer(answer)) => {
            entry.fault("answer");
            let flow = Flow {
                view: view.clone(),
                limit: None,
                bytes_per_second: pace,
                count: &|bytes| entry.request_bytes(bytes),
            };
            return answer_here(&entry, pair, buffers, flow, head, answer).await;
        }
        Some(Fault::Outage { outage, duration }) => {
            entry.fault("outage");
            context.gate.begin(*outage, Some(*duration));
            if *outage == Outage::Refuse {
                return Next::End(Ending::ResetNow);
            }
            view.passable().await;
            decision = None;
        }
        _ => {}
    }
    if pair.connect(context.target).await.is_err() {
        return Next::End(Ending::Reset);
    }
    // It was made just above.
    let Pair { client, server: Some(server) } = pair else { return Next::End(Ending::Reset) };
    exchange::carry(exchange::Exchange {
        client,
        server,
        buffers,
        view,
        entry: &entry,
        head,
        head_bytes: bytes,
        decision,
        pace,
    })
    .await
}

/// Answers in the server's place.
async fn answer_here(
    entry: &Entry,
    pair: &mut Pair,
    buffers: &mut Buffers,
    flow: Flow<'_>,
    head: RequestHead,
    answer: &Answer,
) -> Next {
    let mut close = head.close;
    if head.expects_continue {
        // The client waits for a word before it sends the body, and after this one it will not.
        close = true;
    } else {
        let mut sink = tokio::io::sink();
        let read = pump(&mut pair.client, &mut buffers.client, head.framing, &mut sink, flow).await;
        if let Pumped::SourceGone { reset } = read {
            return Next::End(Ending::of_peer(reset));
        }
    }
    let to_head = head.request.method == "HEAD";
    entry.status(answer.status());
    if pair.client.write_all(&answer.to_bytes(to_head, close)).await.is_err() {
        return Next::End(Ending::Reset);
    }
    entry.answer_bytes(answer.body_length(to_head) as u64);
    entry.complete();
    if close { Next::End(Ending::Close) } else { Next::Request }
}
