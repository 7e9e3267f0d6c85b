//! What all connections through the proxy share, and how each ends.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;

use crate::gate::Gate;
use crate::log::Log;
use crate::plan::{Decision, Plans, Request};
use crate::{http, socket, tcp};

/// What the connections share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) target: SocketAddr,
    pub(crate) protocol: Protocol,
    pub(crate) plans: Mutex<Plans>,
    pub(crate) log: Arc<Log>,
    pub(crate) gate: Gate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Tcp,
}

impl Context {
    pub(crate) fn decide(&self, request: &Request) -> Option<Decision> {
        // A caller's predicate that panics leaves counts behind, and no half-done change.
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).decide(request)
    }

    /// How many bytes a second bodies may move.
    pub(crate) fn pace(&self) -> Option<u64> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).pace()
    }
}

/// A client's connection, and the one to the server that belongs to it.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) client: TcpStream,
    pub(crate) server: Option<TcpStream>,
}

impl Pair {
    /// The connection to the server, made now if there is none.
    pub(crate) async fn connect(&mut self, target: SocketAddr) -> std::io::Result<()> {
        if self.server.is_none() {
            let server = TcpStream::connect(target).await?;
            let _unsupported = server.set_nodelay(true);
            self.server = Some(server);
        }
        Ok(())
    }
}

/// How a pair of connections ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Cleanly, after what was written has arrived.
    Close,
    /// By a reset, after what was written has arrived.
    Reset,
    /// By a reset at once.
    ResetNow,
}

impl Ending {
    pub(crate) fn of_peer(reset: bool) -> Self {
        if reset { Self::Reset } else { Self::Close }
    }
}

/// Carries a client's connection from its first byte to its end.
pub(crate) async fn carry(context: Arc<Context>, client: TcpStream) {
    let _unsupported = client.set_nodelay(true);
    let number = context.log.connection();
    let view = context.gate.view();
    let mut pair = Pair { client, server: None };
    let mut resets = view.clone();
    let serve = async {
        match context.protocol {
            Protocol::Http => http::serve(&context, &mut pair, view, number).await,
            Protocol::Tcp => tcp::serve(&context, &mut pair, view, number).await,
        }
    };
    let ending = tokio::select! {
        biased;
        () = resets.reset() => Ending::ResetNow,
        ending = serve => ending,
    };
    let Pair { client, server } = pair;
    match ending {
        Ending::ResetNow => {
            socket::reset_now(client);
            server.into_iter().for_each(socket::reset_now);
        }
        Ending::Reset => {
            let server = async {
                if let Some(server) = server {
                    socket::reset(server).await;
                }
            };
            tokio::join!(socket::reset(client), server);
        }
        Ending::Close => {
            drop(server);
            socket::close(client).await;
        }
    }
}
