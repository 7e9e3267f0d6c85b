//! One exchange with the server: the request goes up while the answer comes down.

use std::future::pending;

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::Notify;

use crate::Fault;
use crate::connection::Ending;
use crate::gate::View;
use crate::head::{self, AnswerHead, RequestHead};
use crate::http::{Buffers, Next};
use crate::log::Entry;
use crate::plan::Decision;
use crate::pump::{Flow, Pumped, drain, fill, pump};

/// How much of the next request is taken in while an answer is on its way.
const AHEAD: usize = 64 * 1024;

/// What an exchange needs.
pub(crate) struct Exchange<'a> {
    pub(crate) client: &'a mut TcpStream,
    pub(crate) server: &'a mut TcpStream,
    pub(crate) buffers: &'a mut Buffers,
    pub(crate) view: &'a View,
    pub(crate) entry: &'a Entry,
    pub(crate) head: RequestHead,
    pub(crate) head_bytes: &'a [u8],
    pub(crate) decision: Option<Decision>,
    pub(crate) pace: Option<u64>,
}

/// Why the request's way ended before the answer's did.
#[derive(Debug)]
enum Up {
    Fault,
    ClientGone { reset: bool },
}

/// How the answer's way ended.
#[derive(Debug)]
enum Down {
    /// The client has it; `early` if it came where the client waited for leave to send the body.
    Whole {
        close: bool,
        early: bool,
    },
    Fault,
    ServerGone {
        reset: bool,
    },
    ClientGone,
}

/// Carries a request to the server and its answer to the client, with what is to go wrong.
pub(crate) async fn carry(exchange: Exchange<'_>) -> Next {
    let Exchange { client, server, buffers, view, entry, head, head_bytes, decision, pace } =
        exchange;
    let fault = decision.as_ref().map(|decision| &decision.fault);
    let bytes_per_second = match fault {
        Some(Fault::Drip { bytes_per_second }) => {
            entry.fault("drip");
            Some(*bytes_per_second)
        }
        _ => pace,
    };
    let limit = request_limit(decision.as_ref(), &head);
    let to_head = head.request.method == "HEAD";
    let expects_continue = head.expects_continue;
    let stalls = matches!(fault, Some(Fault::StallAnswer(_)));
    let (client_read, client_write) = client.split();
    let (server_read, server_write) = server.split();
    let sent = Notify::new();

    let count = |bytes| entry.request_bytes(bytes);
    let flow = Flow { view: view.clone(), limit, bytes_per_second, count: &count };
    let up = go_up(
        client_read,
        server_write,
        &mut buffers.client,
        (head, head_bytes),
        flow,
        &sent,
        stalls,
    );
    let count = |bytes| entry.answer_bytes(bytes);
    let flow = Flow { view: view.clone(), limit: None, bytes_per_second, count: &count };
    let down = Descent { entry, decision: decision.as_ref(), to_head, expects_continue };
    let down = down.go(server_read, client_write, &mut buffers.server, flow);

    tokio::pin!(up, down);
    tokio::select! {
        biased;
        up = &mut up => ended_early(up, fault, entry).await,
        down = &mut down => match down {
            Down::Whole { early: true, .. } => Next::End(Ending::Close),
            Down::Whole { close, early: false } => {
                // A server may answer before it has read all of the request.
                tokio::select! {
                    biased;
                    () = sent.notified() => {
                        entry.complete();
                        if close { Next::End(Ending::Close) } else { Next::Request }
                    }
                    up = &mut up => ended_early(up, fault, entry).await,
                }
            }
            Down::ServerGone { reset } => Next::End(Ending::of_peer(reset)),
            Down::ClientGone => Next::End(Ending::Reset),
            Down::Fault => {
                entry.fault(fault.map_or("", Fault::name));
                match fault {
                    Some(Fault::TruncateAnswer(_)) => Next::End(Ending::Close),
                    Some(Fault::StallAnswer(_)) => {
                        up.await;
                        Next::End(Ending::Reset)
                    }
                    _ => Next::End(Ending::Reset),
                }
            }
        },
    }
}

async fn ended_early(up: Up, fault: Option<&Fault>, entry: &Entry) -> Next {
    match up {
        Up::ClientGone { reset } => Next::End(Ending::of_peer(reset)),
        Up::Fault => {
            entry.fault(fault.map_or("", Fault::name));
            if matches!(fault, Some(Fault::StallRequest(_))) {
                pending::<()>().await;
            }
            Next::End(Ending::Reset)
        }
    }
}

fn request_limit(decision: Option<&Decision>, head: &RequestHead) -> Option<u64> {
    let Decision { fault, number } = decision?;
    match fault {
        Fault::ResetRequest(at) | Fault::StallRequest(at) => {
            Some(at.place(head.framing.length(), *number))
        }
        _ => None,
    }
}

/// Sends the request, and then watches the client until somebody loses interest.
async fn go_up(
    mut client: ReadHalf<'_>,
    mut server: WriteHalf<'_>,
    buffer: &mut BytesMut,
    (head, head_bytes): (RequestHead, &[u8]),
    flow: Flow<'_>,
    sent: &Notify,
    stalls: bool,
) -> Up {
    let pumped = match server.write_all(head_bytes).await {
        Ok(()) => pump(&mut client, buffer, head.framing, &mut server, flow).await,
        Err(_) => Pumped::SinkGone,
    };
    match pumped {
        Pumped::Limit => Up::Fault,
        Pumped::SourceGone { reset } => Up::ClientGone { reset },
        Pumped::SinkGone => {
            // The server has closed its ears, maybe after an answer that is still to be passed on.
            drain(&mut client).await;
            Up::ClientGone { reset: true }
        }
        Pumped::Whole => {
            sent.notify_one();
            while buffer.len() < AHEAD {
                match fill(&mut client, buffer).await {
                    Ok(0) if stalls => return Up::ClientGone { reset: false },
                    Ok(0) => {
                        // It may have closed one direction only: what that means is for the server to say.
                        let _gone = server.shutdown().await;
                        break;
                    }
                    Err(_) => return Up::ClientGone { reset: true },
                    Ok(_) => {}
                }
            }
            pending().await
        }
    }
}

/// The answer's way.
struct Descent<'a> {
    entry: &'a Entry,
    decision: Option<&'a Decision>,
    to_head: bool,
    expects_continue: bool,
}

impl Descent<'_> {
    async fn go(
        self,
        mut server: ReadHalf<'_>,
        mut client: WriteHalf<'_>,
        buffer: &mut BytesMut,
        mut flow: Flow<'_>,
    ) -> Down {
        let mut continued = !self.expects_continue;
        let head = loop {
            let head = match self.head(&mut server, buffer).await {
                Ok(head) => head,
                Err(down) => return down,
            };
            if !(100..200).contains(&head.status) {
                break head;
            }
            flow.view.passable().await;
            continued = true;
            if client.write_all(&buffer.split_to(head.bytes)).await.is_err() {
                return Down::ClientGone;
            }
        };
        self.entry.status(head.status);
        let fault = self.decision.map(|decision| &decision.fault);
        if matches!(fault, Some(Fault::LoseAnswer | Fault::ReplaceAnswer(_))) {
            return self.instead(server, client, buffer, head, flow).await;
        }
        flow.view.passable().await;
        if client.write_all(&buffer.split_to(head.bytes)).await.is_err() {
            return Down::ClientGone;
        }
        flow.limit = self.limit(&head);
        let close = head.until_close();
        match pump(&mut server, buffer, head.framing, &mut client, flow).await {
            Pumped::Whole => Down::Whole { close, early: !continued },
            Pumped::Limit => Down::Fault,
            Pumped::SourceGone { reset } => Down::ServerGone { reset },
            Pumped::SinkGone => Down::ClientGone,
        }
    }

    async fn head(
        &self,
        server: &mut ReadHalf<'_>,
        buffer: &mut BytesMut,
    ) -> Result<AnswerHead, Down> {
        loop {
            match head::answer(buffer, self.to_head) {
                Ok(Some(head)) => return Ok(head),
                Ok(None) => {}
                Err(_) => return Err(Down::ServerGone { reset: true }),
            }
            match fill(server, buffer).await {
                Ok(0) => return Err(Down::ServerGone { reset: false }),
                Err(_) => return Err(Down::ServerGone { reset: true }),
                Ok(_) => {}
            }
        }
    }

    /// Takes the server's answer, and gives the client another one or none.
    async fn instead(
        self,
        mut server: ReadHalf<'_>,
        mut client: impl AsyncWrite + Unpin,
        buffer: &mut BytesMut,
        head: AnswerHead,
        mut flow: Flow<'_>,
    ) -> Down {
        let close = head.until_close();
        let _head = buffer.split_to(head.bytes);
        let count = flow.count;
        flow.count = &|_| {};
        let taken = pump(&mut server, buffer, head.framing, &mut tokio::io::sink(), flow).await;
        let Some(Decision { fault: Fault::ReplaceAnswer(answer), .. }) = self.decision else {
            return Down::Fault;
        };
        self.entry.fault("replace answer");
        let close = close || taken != Pumped::Whole;
        if client.write_all(&answer.to_bytes(self.to_head, close)).await.is_err() {
            return Down::ClientGone;
        }
        count(answer.body_length(self.to_head) as u64);
        Down::Whole { close, early: false }
    }

    fn limit(&self, head: &AnswerHead) -> Option<u64> {
        let Decision { fault, number } = self.decision?;
        let length = head.framing.length();
        match fault {
            Fault::ResetAnswer(at) | Fault::StallAnswer(at) => Some(at.place(length, *number)),
            Fault::TruncateAnswer(_) if length == Some(0) => None,
            Fault::TruncateAnswer(at) => {
                let most = length.map_or(u64::MAX, |length| length - 1);
                Some(at.place(length, *number).min(most))
            }
            _ => None,
        }
    }
}
