//! The proxy as its user has it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};

use crate::connection::{self, Context, Protocol};
use crate::gate::Gate;
use crate::log::Log;
use crate::plan::Plans;
use crate::thread::ServerThread;
use crate::{Counters, Exchange, Outage, Plan};

/// How long it may take until the port is closed or open; a moment, unless the machine is very busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// A proxy on a free port of loopback, in front of any server, that makes faults by its [`Plan`]. It runs on a thread
/// of its own, so that it serves blocking clients as well as those of any runtime. Dropping it closes all its
/// connections.
///
/// The client is told the proxy's address in place of the server's. Bytes are passed on as they come, heads too:
/// signatures hold, for a server takes them from the `host` header as it was sent.
///
/// ```
/// use persevere_faults::{Fault, FaultProxy, Plan, Rule};
/// # use std::io::{Read, Write};
/// # use std::net::{SocketAddr, TcpListener, TcpStream};
/// # fn get(address: SocketAddr) -> std::io::Result<String> {
/// #     let mut connection = TcpStream::connect(address)?;
/// #     connection.write_all(b"GET /key HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")?;
/// #     let mut answer = String::new();
/// #     connection.read_to_string(&mut answer)?;
/// #     Ok(answer)
/// # }
/// # let listener = TcpListener::bind("127.0.0.1:0")?;
/// # let server = listener.local_addr()?;
/// # std::thread::spawn(move || {
/// #     for connection in listener.incoming() {
/// #         let mut connection = connection.unwrap();
/// #         connection.read(&mut [0; 1024]).unwrap();
/// #         connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi").unwrap();
/// #     }
/// # });
///
/// // The first request is throttled, and those after it go through.
/// let plan = Plan::new().rule(Rule::new(Fault::slow_down(Some(1))).nth(1));
/// let proxy = FaultProxy::http(server, plan)?;
///
/// assert!(get(proxy.address())?.starts_with("HTTP/1.1 503"));
/// assert!(get(proxy.address())?.ends_with("hi"));
///
/// let exchanges = proxy.exchanges();
/// assert_eq!(exchanges[0].fault, Some("answer"));
/// assert_eq!(exchanges[1].answer_bytes, 2);
/// assert_eq!(proxy.counters().faults, 1);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    context: Arc<Context>,
    door: Arc<Door>,
    _thread: ServerThread,
}

impl FaultProxy {
    /// A proxy for HTTP/1.1 without TLS, with and without keep-alive, bodies of known length and chunked ones, and `Expect:
    /// 100-continue`. Bodies are streamed.
    ///
    /// # Errors
    ///
    /// If no port or thread is to be had.
    pub fn http(server: SocketAddr, plan: Plan) -> io::Result<Self> {
        Self::start(server, plan, Protocol::Http)
    }

    /// A proxy for any protocol over TCP, such as SSH or TLS, with faults by number of bytes or of connections.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a rule needs HTTP: it makes or loses an answer, or has conditions on a request.
    /// Others if no port or thread is to be had.
    pub fn tcp(server: SocketAddr, plan: Plan) -> io::Result<Self> {
        Self::start(server, plan, Protocol::Tcp)
    }

    fn start(target: SocketAddr, plan: Plan, protocol: Protocol) -> io::Result<Self> {
        check(&plan, protocol)?;
        let receive_buffer = plan.pace.map(|_| SLOW_BUFFER);
        let (log, gate) = (Log::new(), Gate::new());
        let plans = Mutex::new(Plans::new(plan));
        let context = Arc::new(Context { target, protocol, plans, log, gate });
        let door = Arc::new(Door::default());
        let (bound, address) = std::sync::mpsc::channel();
        let (inside, doorkeeper) = (Arc::clone(&context), Arc::clone(&door));
        let thread = ServerThread::start("fault-proxy", 1, move || async move {
            match Port::bind(receive_buffer) {
                Ok((port, listener)) => {
                    let _gone = bound.send(Ok(port.address));
                    let gate = inside.gate.clone();
                    tokio::join!(gate.keep_time(), listen(inside, port, listener, doorkeeper));
                }
                Err(error) => {
                    let _gone = bound.send(Err(error));
                }
            }
        })?;
        let address = address.recv().map_err(io::Error::other)??;
        Ok(Self { address, context, door, _thread: thread })
    }

    /// Where it listens; the same for as long as it lives.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Replaces the plan, for requests (in plain TCP connections) from now on; counting begins anew.
    ///
    /// # Errors
    ///
    /// `InvalidInput`, as for [`tcp`](Self::tcp); the old plan stays in force.
    pub fn set_plan(&self, plan: Plan) -> io::Result<()> {
        check(&plan, self.context.protocol)?;
        let mut plans = self.context.plans.lock().unwrap_or_else(PoisonError::into_inner);
        *plans = Plans::new(plan);
        Ok(())
    }

    /// Lets the network fail from now on for a duration. When this returns from [`Outage::Refuse`], the port refuses
    /// connections. An outage that is there already is replaced.
    pub fn outage(&self, outage: Outage, duration: Duration) {
        self.begin(outage, Some(duration));
    }

    /// Lets the network fail from now on until [`end_outage`](Self::end_outage).
    pub fn begin_outage(&self, outage: Outage) {
        self.begin(outage, None);
    }

    /// Ends the outage, if there is one. When this returns, connections are accepted.
    pub fn end_outage(&self) {
        self.context.gate.end();
        self.door.wait_until(Position::Open);
    }

    /// Resets all connections now; new ones can be made.
    pub fn reset_connections(&self) {
        self.context.log.fault();
        self.context.gate.reset();
    }

    /// Sums over all that it has seen and done.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.context.log.counters()
    }

    /// All requests so far (in plain TCP connections) in the order in which they came, those that go on too.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.context.log.exchanges()
    }

    fn begin(&self, outage: Outage, duration: Option<Duration>) {
        self.context.log.fault();
        self.context.gate.begin(outage, duration);
        if outage == Outage::Refuse {
            self.door.wait_until(Position::Closed);
        }
    }
}

fn check(plan: &Plan, protocol: Protocol) -> io::Result<()> {
    let unfit = (protocol == Protocol::Tcp).then(|| plan.unfit_for_tcp()).flatten();
    unfit.map_or(Ok(()), |why| Err(io::Error::new(io::ErrorKind::InvalidInput, why)))
}

/// Accepts connections, but for the time of outages that refuse them.
async fn listen(context: Arc<Context>, port: Port, first: TcpListener, door: Arc<Door>) {
    let mut view = context.gate.view();
    let mut listener = Some(first);
    loop {
        let Some(open) = &listener else {
            view.refusing(false).await;
            listener = port.listen().ok();
            match &listener {
                Some(_) => door.set(Position::Open),
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
            continue;
        };
        tokio::select! {
            biased;
            () = view.refusing(true) => {
                listener = None;
                door.set(Position::Closed);
            }
            accepted = open.accept() => match accepted {
                Ok((client, _)) => drop(tokio::spawn(connection::carry(Arc::clone(&context), client))),
                // Out of file descriptors, most likely: some are free again soon.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

/// A port that stays ours while nobody listens there.
struct Port {
    address: SocketAddr,
    /// Bound and not listening: so nobody else is given the port, and who connects is refused. Systems other than
    /// Linux do not let two sockets have it; there it is free in an outage.
    _reserved: Option<TcpSocket>,
    /// Bytes; as the system sees fit if not set.
    receive_buffer: Option<u32>,
}

impl Port {
    fn bind(receive_buffer: Option<u32>) -> io::Result<(Self, TcpListener)> {
        let anywhere = (Ipv4Addr::LOCALHOST, 0).into();
        if cfg!(target_os = "linux") {
            let reserved = socket_at(anywhere)?;
            let address = reserved.local_addr()?;
            let port = Self { address, _reserved: Some(reserved), receive_buffer };
            let listener = port.listen()?;
            return Ok((port, listener));
        }
        let mut port = Self { address: anywhere, _reserved: None, receive_buffer };
        let listener = port.listen()?;
        port.address = listener.local_addr()?;
        Ok((port, listener))
    }

    fn listen(&self) -> io::Result<TcpListener> {
        let socket = socket_at(self.address)?;
        if let Some(bytes) = self.receive_buffer {
            // Connections that are accepted have it from the one that listens.
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.listen(BACKLOG)
    }
}

/// Of connections over a slow line: megabytes that the system would take in at once have not gone anywhere yet.
const SLOW_BUFFER: u32 = 64 * 1024;

const BACKLOG: u32 = 1024;

fn socket_at(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections that have ended block the port for a minute otherwise; on Windows they do not, and it would mean
    // that somebody else may take it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Whether the port is open, for those who wait for that outside the runtime.
#[derive(Debug, Default)]
struct Door {
    position: Mutex<Position>,
    moved: Condvar,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Position {
    #[default]
    Open,
    Closed,
}

impl Door {
    fn set(&self, position: Position) {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = position;
        self.moved.notify_all();
    }

    fn wait_until(&self, position: Position) {
        let now = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let _in_time = self.moved.wait_timeout_while(now, PATIENCE, |now| *now != position);
    }
}
