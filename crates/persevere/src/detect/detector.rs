//! Detection with what the caller knows beside the error: whose service it is, and rules of its own.

use std::error::Error;

use super::evidence::Evidence;
#[cfg(feature = "text")]
use super::evidence::Rank;
#[cfg(feature = "text")]
use super::rules::RuleSet;
use super::status::of_status;
use super::types;
use crate::chain;
use crate::error::Retried;
use crate::mark::{Mark, Marked};
use crate::provider::Provider;
use crate::verdict::{Kind, Verdict};

/// Says of errors whether they are worth another try.
///
/// The free functions of [`detect`](super) are those of a detector that knows nothing beside the error.
/// Give one to [`Retryer::detector`](crate::Retryer::detector) to say whose service is called, or to add
/// rules as data.
///
/// ```
/// use persevere::Provider;
/// use persevere::detect::Detector;
///
/// const AZURE: Detector = Detector::new().provider(Provider::Azure);
/// assert!(AZURE.http_status(408).is_retryable());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Detector {
    provider: Option<Provider>,
    #[cfg(feature = "text")]
    rules: Option<std::sync::Arc<RuleSet>>,
}

impl Detector {
    /// One that knows nothing beside the error.
    pub const fn new() -> Self {
        Self {
            provider: None,
            #[cfg(feature = "text")]
            rules: None,
        }
    }

    /// Whose service it is: decides what a status means that not all use in the same way.
    #[must_use]
    pub const fn provider(mut self, provider: Provider) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Rules of the caller, asked before everything that detection knows by itself.
    #[cfg(feature = "text")]
    #[must_use]
    pub fn rules(mut self, rules: RuleSet) -> Self {
        self.rules = Some(std::sync::Arc::new(rules));
        self
    }

    /// What an error says, by its types and then by its text; see [`detect::error`](super::error).
    pub fn error(&self, error: &(dyn Error + 'static)) -> Verdict {
        self.judge(error, || None, false)
    }

    /// What an HTTP status says; see [`detect::http_status`](super::http_status).
    pub fn http_status(&self, status: u16) -> Verdict {
        #[cfg(feature = "text")]
        if let Some(verdict) = self.own(b"", Some(status)) {
            return verdict.with_http_status(status).with_answer();
        }
        of_status(status, self.provider)
    }

    /// What a message says; see [`detect::text`](super::text).
    #[cfg(feature = "text")]
    pub fn text(&self, message: &str) -> Verdict {
        self.body(message.as_bytes())
    }

    /// What the body of an answer says, be it JSON, XML or plain text: the same as
    /// [`text`](Self::text), for bytes that need not be UTF-8.
    #[cfg(feature = "text")]
    pub fn body(&self, body: &[u8]) -> Verdict {
        let found = super::text::find(body, self.provider);
        let by_text = || found.evidence.map(Evidence::into_verdict);
        self.own(body, found.status).or_else(by_text).unwrap_or(Verdict::unknown())
    }

    /// What an answer says: its status, and its body, which may say it better. `body` may be a part
    /// of the whole, or empty.
    ///
    /// A body can turn a status into its contrary: S3 sends `RequestTimeout` with 400, Google
    /// `rateLimitExceeded` with 403, and S3's answer to a completed upload is 200 with
    /// `InternalError` in it. So 200 with a body that tells of no error is unknown.
    #[cfg(feature = "text")]
    pub fn answer(&self, status: u16, body: &[u8]) -> Verdict {
        if let Some(verdict) = self.own(body, Some(status)) {
            return verdict.with_http_status(status).with_answer();
        }
        let by_status = of_status(status, self.provider);
        let verdict = match self.in_body(status, body) {
            Some(found) => found.verdict.without_unprocessed(),
            None => by_status,
        };
        // Turned away before anything was done, whatever the body says of it.
        let verdict = if by_status.is_unprocessed() { verdict.with_unprocessed() } else { verdict };
        verdict.with_http_status(status).with_answer()
    }

    /// What a body knows better than its status. A body may hold any words, so that only what is
    /// documented counts: below 400 the code of an error document; with an error status any code; with a
    /// 4xx also the words for throttling, which some send as 403.
    #[cfg(feature = "text")]
    fn in_body(&self, status: u16, body: &[u8]) -> Option<Evidence> {
        if !(400..600).contains(&status) {
            let code = super::fields::code_of_document(body)?;
            return super::matcher::code(code).filter(|found| found.rank == Rank::Code);
        }
        let found = super::text::find(body, self.provider).evidence?;
        let throttled = status < 500 && found.verdict.kind() == Kind::Throttle;
        (found.rank >= Rank::Code || throttled && found.rank == Rank::Phrase).then_some(found)
    }

    /// What the caller's rules say.
    #[cfg(feature = "text")]
    fn own(&self, text: &[u8], status: Option<u16>) -> Option<Verdict> {
        self.rules.as_ref()?.judge(text, status)
    }

    /// The whole order of evidence, with the caller's rule in its place, and perhaps with inner
    /// retries passed over.
    pub(crate) fn judge(
        &self,
        error: &(dyn Error + 'static),
        rule: impl FnOnce() -> Option<Verdict>,
        retry_nested: bool,
    ) -> Verdict {
        let findings = Findings::gather(error);
        if let Some(marked) = findings.marked {
            return self.judge_mark(marked);
        }
        if let Some(verdict) = rule() {
            return verdict;
        }
        if let Some(retried) = findings.retried {
            return judge_retried(retried, retry_nested);
        }
        self.judge_types_and_text(error, findings.typed)
    }

    #[cfg(feature = "text")]
    fn judge_types_and_text(
        &self,
        error: &(dyn Error + 'static),
        typed: Option<Evidence>,
    ) -> Verdict {
        use std::fmt::Write;

        if self.rules.is_none()
            && let Some(typed) = typed
            && !typed.is_weak()
        {
            return self.as_provider_says(typed.verdict);
        }
        let mut message = super::message::Message::new();
        for link in chain::links(error) {
            // A message that is cut still ends up in detection, and a failing `Display` is no evidence.
            let _cut = write!(message, "{link}: ");
        }
        let text = message.as_str().as_bytes();
        let found = super::text::find(text, self.provider);
        let status = typed.and_then(|typed| typed.verdict.http_status()).or(found.status);
        if let Some(verdict) = self.own(text, status) {
            return verdict;
        }
        let best = match typed {
            Some(typed) if !typed.is_weak() => Some(typed),
            // The text of a status says the same again, so that it must say more to win.
            Some(typed) => {
                Some(typed.or_cause(found.evidence.filter(|text| text.rank > typed.rank)))
            }
            None => found.evidence,
        };
        best.map_or(Verdict::unknown(), |best| self.as_provider_says(best.into_verdict()))
    }

    #[cfg(not(feature = "text"))]
    fn judge_types_and_text(&self, _: &(dyn Error + 'static), typed: Option<Evidence>) -> Verdict {
        typed.map_or(Verdict::unknown(), |typed| self.as_provider_says(typed.verdict))
    }

    /// A status that was judged by somebody who did not know whose it is.
    fn as_provider_says(&self, verdict: Verdict) -> Verdict {
        match (verdict.http_status(), self.provider) {
            (Some(408), Some(provider))
                if provider.retries_408() && verdict.rule() == "http.408" =>
            {
                of_status(408, self.provider)
            }
            _ => verdict,
        }
    }

    fn judge_mark(&self, marked: &Marked) -> Verdict {
        // What is inside still tells the kind, and whether the network works.
        let inside = self.error(marked.inner());
        match marked.mark() {
            Mark::Permanent => inside.with_retryable(false, "mark.permanent"),
            Mark::Transient => inside.with_retryable(true, "mark.transient").with_unprocessed(),
            Mark::RetryAfter(wait) => {
                let verdict = inside.with_retryable(true, "mark.retry_after");
                verdict.with_unprocessed().with_hint(wait)
            }
        }
        .with_known_kind()
    }
}

/// What the types along the chain of causes say.
#[derive(Default)]
struct Findings<'a> {
    marked: Option<&'a Marked>,
    retried: Option<&'a Retried>,
    typed: Option<Evidence>,
}

impl<'a> Findings<'a> {
    fn gather(error: &'a (dyn Error + 'static)) -> Self {
        let mut findings = Self::default();
        let mut link = Some(error);
        for _ in 0..chain::LONGEST {
            let Some(error) = link else { break };
            // First of all, and once: it is what most chains end with.
            if let Some(error) = error.downcast_ref::<std::io::Error>() {
                findings.add(types::io(error));
                // Its `source` skips the error inside.
                link = match error.get_ref() {
                    Some(inside) => Some(inside),
                    None => error.source(),
                };
                continue;
            }
            findings.marked = error.downcast_ref();
            if findings.marked.is_some() {
                break;
            }
            if findings.retried.is_none() {
                findings.retried = error.downcast_ref();
            }
            findings.add(types::judge(error));
            link = error.source();
        }
        findings
    }

    fn add(&mut self, found: Option<Evidence>) {
        match (&mut self.typed, found) {
            (_, None) => {}
            (Some(typed), found) => *typed = typed.or_cause(found),
            (none, found) => *none = found,
        }
    }
}

fn judge_retried(retried: &Retried, retry_nested: bool) -> Verdict {
    let inner = retried.verdict.unwrap_or(Verdict::unknown());
    match retry_nested {
        true => inner,
        false => Verdict::stop(Kind::AlreadyRetried, "nested.already_retried"),
    }
}
