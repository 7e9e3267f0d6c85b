//! Bytes through the proxy, whatever they mean.

use std::future::pending;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use crate::body::Framing;
use crate::connection::{Context, Ending, Pair};
use crate::gate::View;
use crate::plan::{Decision, Request};
use crate::pump::{Flow, Pumped, pump};
use crate::{Fault, Outage};

pub(crate) async fn serve(
    context: &Context,
    pair: &mut Pair,
    mut view: View,
    connection: u64,
) -> Ending {
    let request = Request::default();
    view.passable().await;
    let entry = context.log.begin(connection, &request, None);
    let mut decision = context.decide(&request);
    if let Some(Decision { fault: Fault::Outage { outage, duration }, .. }) = decision {
        entry.fault("outage");
        context.gate.begin(outage, Some(duration));
        if outage == Outage::Refuse {
            return Ending::ResetNow;
        }
        view.passable().await;
        decision = None;
    }
    if pair.connect(context.target).await.is_err() {
        return Ending::Reset;
    }
    // It was made just above.
    let Pair { client, server: Some(server) } = pair else { return Ending::Reset };
    let mut limits = Limits::of(decision.as_ref());
    if limits.bytes_per_second.is_some() {
        entry.fault("drip");
    }
    limits.bytes_per_second = limits.bytes_per_second.or(context.pace());
    let (mut client_read, mut client_write) = client.split();
    let (mut server_read, mut server_write) = server.split();
    let count_up = |bytes| entry.request_bytes(bytes);
    let count_down = |bytes| entry.answer_bytes(bytes);
    let flow = |limit, count| Flow {
        view: view.clone(),
        limit,
        bytes_per_second: limits.bytes_per_second,
        count,
    };
    let up = one_way(&mut client_read, &mut server_write, flow(limits.up, &count_up));
    let down = one_way(&mut server_read, &mut client_write, flow(limits.down, &count_down));
    match tokio::try_join!(up, down) {
        Ok(_) => {
            entry.complete();
            Ending::Close
        }
        Err(Early::Gone) => Ending::Reset,
        Err(Early::Limit) => {
            let fault = decision.map(|decision| decision.fault);
            entry.fault(fault.as_ref().map_or("", Fault::name));
            match fault {
                Some(Fault::StallRequest(_) | Fault::StallAnswer(_)) => pending().await,
                Some(Fault::TruncateAnswer(_)) => Ending::Close,
                _ => Ending::Reset,
            }
        }
    }
}

/// What ends both directions.
enum Early {
    Gone,
    Limit,
}

/// Passes on what comes from one side, and that it has ended.
async fn one_way(
    source: &mut (impl AsyncRead + Unpin),
    sink: &mut (impl AsyncWrite + Unpin),
    flow: Flow<'_>,
) -> Result<(), Early> {
    let mut buffer = BytesMut::new();
    match pump(source, &mut buffer, Framing::UntilClose, sink, flow).await {
        Pumped::Whole => {
            let _gone = sink.shutdown().await;
            Ok(())
        }
        Pumped::Limit => Err(Early::Limit),
        Pumped::SourceGone { .. } | Pumped::SinkGone => Err(Early::Gone),
    }
}

#[derive(Default)]
struct Limits {
    up: Option<u64>,
    down: Option<u64>,
    bytes_per_second: Option<u64>,
}

impl Limits {
    fn of(decision: Option<&Decision>) -> Self {
        let none = Self::default();
        let Some(Decision { fault, number }) = decision else { return none };
        match fault {
            Fault::ResetRequest(at) | Fault::StallRequest(at) => {
                Self { up: Some(at.place(None, *number)), ..none }
            }
            Fault::ResetAnswer(at) | Fault::StallAnswer(at) | Fault::TruncateAnswer(at) => {
                Self { down: Some(at.place(None, *number)), ..none }
            }
            Fault::Drip { bytes_per_second } => {
                Self { bytes_per_second: Some(*bytes_per_second), ..none }
            }
            _ => none,
        }
    }
}
