//! Local files that fail on demand.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use tokio::io::{AsyncRead, ReadBuf};

use crate::error::StorageError;
use crate::local::LocalStore;
use crate::meter::Meter;
use crate::store::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Operation {
    Stat,
    Read,
    Put,
    Begin,
    PutPart,
    Finish,
}

const OPERATIONS: [Operation; 6] = [
    Operation::Stat,
    Operation::Read,
    Operation::Put,
    Operation::Begin,
    Operation::PutPart,
    Operation::Finish,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection breaks before anything is done.
    Before,
    /// It is done, and then the connection breaks.
    After,
    /// It is done, and then this process is stopped: nobody tries again.
    AfterForGood,
    UploadGone,
    Denied,
}

const FAULTS: [Fault; 4] = [Fault::Before, Fault::After, Fault::UploadGone, Fault::AfterForGood];

/// How many kinds of failure [`Faulty::random`] knows.
pub(super) const KINDS: usize = OPERATIONS.len() * FAULTS.len();

type Hook = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Plan {
    calls: HashMap<Operation, usize>,
    at: HashMap<(Operation, usize), Fault>,
    from: HashMap<Operation, (usize, Fault)>,
    hooks: HashMap<(Operation, usize), Hook>,
    break_reads_after: Option<usize>,
    hides_versions: bool,
}

pub(super) struct Faulty {
    store: LocalStore,
    plan: Mutex<Plan>,
}

impl Faulty {
    pub(super) fn new() -> Self {
        Self { store: LocalStore::new(), plan: Mutex::default() }
    }

    /// The call of this number fails, counted from 1.
    pub(super) fn at(&self, operation: Operation, call: usize, fault: Fault) {
        self.plan.lock().unwrap().at.insert((operation, call), fault);
    }

    pub(super) fn from(&self, operation: Operation, call: usize, fault: Fault) {
        self.plan.lock().unwrap().from.insert(operation, (call, fault));
    }

    pub(super) fn always(&self, operation: Operation, fault: Fault) {
        self.from(operation, 1, fault);
    }

    pub(super) fn random(&self, kind: usize, call: usize) {
        self.at(OPERATIONS[kind % OPERATIONS.len()], call, FAULTS[kind / OPERATIONS.len()]);
    }

    /// Something happens just before the call of this number.
    pub(super) fn when(
        &self,
        operation: Operation,
        call: usize,
        hook: impl FnOnce() + Send + 'static,
    ) {
        self.plan.lock().unwrap().hooks.insert((operation, call), Box::new(hook));
    }

    pub(super) fn break_reads_after(&self, bytes: usize) {
        self.plan.lock().unwrap().break_reads_after = Some(bytes);
    }

    /// As a server does that gives no ETag.
    pub(super) fn hide_versions(&self) {
        self.plan.lock().unwrap().hides_versions = true;
    }

    pub(super) fn clear(&self) {
        let mut plan = self.plan.lock().unwrap();
        plan.at.clear();
        plan.from.clear();
    }

    pub(super) fn count(&self, operation: Operation) -> usize {
        self.plan.lock().unwrap().calls.get(&operation).copied().unwrap_or(0)
    }

    fn next(&self, operation: Operation) -> Option<Fault> {
        let mut plan = self.plan.lock().unwrap();
        let calls = plan.calls.entry(operation).or_default();
        *calls += 1;
        let call = *calls;
        if let Some(hook) = plan.hooks.remove(&(operation, call)) {
            hook();
        }
        let from = plan.from.get(&operation).filter(|(from, _)| *from <= call);
        from.map(|(_, fault)| *fault).or_else(|| plan.at.remove(&(operation, call)))
    }

    async fn with<T>(
        &self,
        operation: Operation,
        upload: Option<Upload<'_>>,
        answer: Answer<'_, T>,
    ) -> Result<T, StorageError> {
        match self.next(operation) {
            None => answer.await,
            Some(Fault::Before) => Err(reset()),
            Some(Fault::After) => answer.await.and(Err(reset())),
            Some(Fault::AfterForGood) => answer.await.and(Err(denied())),
            Some(Fault::UploadGone) => {
                let Some(upload) = upload else { return Err(reset()) };
                self.store.abort_upload(upload).await?;
                Err(StorageError::UploadGone { what: "target".into() })
            }
            Some(Fault::Denied) => Err(denied()),
        }
    }
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

fn reset() -> StorageError {
    let source = io::Error::from(io::ErrorKind::ConnectionReset);
    StorageError::Transport { doing: "PUT target".into(), source: source.into() }
}

fn denied() -> StorageError {
    let source = io::Error::from(io::ErrorKind::PermissionDenied);
    StorageError::Io { doing: "write", path: "target".into(), source }
}

impl Store for Faulty {
    fn name(&self) -> &'static str {
        "test"
    }

    fn url(&self, key: &str) -> String {
        self.store.url(key)
    }

    fn limits(&self) -> Limits {
        self.store.limits()
    }

    fn peer(&self) -> Option<(String, u16)> {
        None
    }

    fn stat<'a>(&'a self, key: &'a str) -> Answer<'a, Option<ObjectInfo>> {
        Box::pin(async move {
            let mut info = self.with(Operation::Stat, None, self.store.stat(key)).await?;
            if let Some(info) = info.as_mut().filter(|_| self.plan.lock().unwrap().hides_versions) {
                info.version = None;
            }
            Ok(info)
        })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        range: Range<u64>,
        version: Option<&'a Version>,
    ) -> Answer<'a, ByteStream> {
        Box::pin(async move {
            let body =
                self.with(Operation::Read, None, self.store.read(key, range, version)).await?;
            let Some(limit) = self.plan.lock().unwrap().break_reads_after else { return Ok(body) };
            let (mut left, mut broken) = (limit, false);
            let body = body.flat_map(|item| {
                let bytes = item.unwrap();
                let pieces: Vec<_> =
                    bytes.chunks(1000).map(bytes::Bytes::copy_from_slice).collect();
                futures_util::stream::iter(pieces)
            });
            let body = body.map(move |bytes| {
                if left < bytes.len() {
                    broken = true;
                }
                left = left.saturating_sub(bytes.len());
                if broken { Err(reset()) } else { Ok(bytes) }
            });
            Ok(Box::pin(body) as ByteStream)
        })
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        data: &'a Payload,
        attributes: &'a Attributes,
        meter: &'a Meter,
    ) -> Answer<'a, Stored> {
        Box::pin(self.with(Operation::Put, None, self.store.put(key, data, attributes, meter)))
    }

    fn begin_upload<'a>(&'a self, key: &'a str, attributes: &'a Attributes) -> Answer<'a, String> {
        Box::pin(self.with(Operation::Begin, None, self.store.begin_upload(key, attributes)))
    }

    fn put_part<'a>(
        &'a self,
        upload: Upload<'a>,
        part: PartPlace,
        data: &'a Payload,
        meter: &'a Meter,
    ) -> Answer<'a, String> {
        Box::pin(self.with(
            Operation::PutPart,
            Some(upload),
            self.store.put_part(upload, part, data, meter),
        ))
    }

    fn list_parts<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, Vec<SeenPart>> {
        self.store.list_parts(upload)
    }

    fn knows_parts(&self) -> bool {
        self.store.knows_parts()
    }

    fn list_uploads<'a>(&'a self, key: &'a str) -> Answer<'a, Vec<SeenUpload>> {
        self.store.list_uploads(key)
    }

    fn finish_upload<'a>(
        &'a self,
        upload: Upload<'a>,
        parts: &'a [SentPart],
        whole: &'a Whole<'a>,
    ) -> Answer<'a, Stored> {
        Box::pin(self.with(
            Operation::Finish,
            Some(upload),
            self.store.finish_upload(upload, parts, whole),
        ))
    }

    fn abort_upload<'a>(&'a self, upload: Upload<'a>) -> Answer<'a, ()> {
        self.store.abort_upload(upload)
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, bool> {
        self.store.delete(key)
    }

    fn list_page<'a>(
        &'a self,
        prefix: &'a str,
        recursive: bool,
        page: Option<&'a str>,
    ) -> Answer<'a, Page> {
        self.store.list_page(prefix, recursive, page)
    }

    fn copy<'a>(
        &'a self,
        from: &'a str,
        version: Option<&'a Version>,
        to: &'a str,
        attributes: &'a Attributes,
    ) -> Answer<'a, Stored> {
        self.store.copy(from, version, to, attributes)
    }
}

/// A pipe whose other end has died.
pub(super) struct BrokenPipe;

impl AsyncRead for BrokenPipe {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }
}
