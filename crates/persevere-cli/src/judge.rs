//! Is a failed command worth another attempt? Asked by `run` and by `classify`.

pub(crate) mod ending;
pub(crate) mod matcher;

use std::time::Duration;

use persevere::detect::Detector;
use persevere::{Kind, Verdict};

use crate::exit_status::{self, CANNOT_RUN, NOT_FOUND, SIGNALLED};
use crate::network_target::is_loopback;
use crate::text;
use ending::Ending;
use matcher::Matcher;

/// What the user has said about failures.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) stop_on: Vec<Matcher>,
    pub(crate) retry_on: Vec<Matcher>,
    /// Every failure is retried that no rule stops and that is not a command which cannot run.
    pub(crate) until_success: bool,
    /// With `until_success`, no server may ask for more.
    pub(crate) max_retry_after: Duration,
    /// The command's name, for the statuses of programs that we know.
    pub(crate) program: String,
    /// With the user's rules from the configuration file.
    pub(crate) detector: Detector,
}

impl Rules {
    /// The verdict on a command that ended like this and printed this on standard error.
    pub(crate) fn judge(&self, ending: &Ending, stderr: &str) -> Verdict {
        let by_itself = self.judge_itself(ending, stderr);
        let kind = known(by_itself.kind());
        let matches =
            |rules: &[Matcher]| rules.iter().any(|rule| rule.matches(ending.exit_code(), stderr));
        if matches(&self.stop_on) {
            return Verdict::stop(kind, "run.stop_on");
        }
        if matches(&self.retry_on) {
            let verdict = with_answer_of(by_itself, Verdict::retry(kind, "run.retry_on"));
            return with_hint_of(by_itself, verdict);
        }
        if self.until_success && !matches!(ending.exit_code(), CANNOT_RUN | NOT_FOUND) {
            let verdict = Verdict::retry(kind, "run.until_success");
            let verdict = with_answer_of(by_itself, verdict);
            return match by_itself.hint() {
                Some(wait) => verdict.with_hint(wait.min(self.max_retry_after)),
                None => verdict,
            };
        }
        by_itself
    }

    /// Without --stop-on and its like. The order is that of certainty: how it ended where that is plain,
    /// what it printed, what its status means for this program, words of everyday language in what it
    /// printed, what its status means by convention.
    fn judge_itself(&self, ending: &Ending, stderr: &str) -> Verdict {
        let status = match ending {
            Ending::TimedOut(_) => return Verdict::retry(Kind::Timeout, "attempt.timeout"),
            Ending::DeadlineReached => return Verdict::retry(Kind::Timeout, "attempt.deadline"),
            Ending::NotStarted(error) => match error.exit_code() {
                status @ (CANNOT_RUN | NOT_FOUND) if error.is_final() => {
                    return exit_status::judge(status).unwrap_or(Verdict::unknown());
                }
                _ => return self.detector.error(error.cause()),
            },
            Ending::Signalled(signal) if ending::is_wish(*signal) => {
                return Verdict::stop(Kind::Other, "signal.ended_by_user");
            }
            Ending::Signalled(_) => None,
            // What a shell says of a command that was.
            Ending::Exited(status)
                if ending::is_wish(i32::from(*status) - i32::from(SIGNALLED)) =>
            {
                return Verdict::stop(Kind::Other, "signal.ended_by_user");
            }
            Ending::Exited(status) => Some(*status),
        };
        if let Some(status @ (CANNOT_RUN | NOT_FOUND)) = status {
            return exit_status::judge(status).unwrap_or(Verdict::unknown());
        }
        let by_text = self.detector.text(stderr);
        let by_text = Some(by_text).filter(|verdict| *verdict != Verdict::unknown());
        let verdict = by_text
            .filter(|verdict| !verdict.is_guess())
            .or_else(|| exit_status::judge_of(&self.program, status?))
            .or(by_text)
            .or_else(|| exit_status::judge(status?))
            .unwrap_or(Verdict::unknown());
        match curl_met_itself(stderr) {
            true => verdict.with_answer(),
            false => verdict,
        }
    }
}

/// The user knows it, even if nobody can say what it is.
fn known(kind: Kind) -> Kind {
    match kind {
        Kind::Unknown => Kind::Other,
        known => known,
    }
}

/// What proves that the network works does so whoever decides on the retry.
fn with_answer_of(answered: Verdict, verdict: Verdict) -> Verdict {
    match answered.has_answer() {
        true => verdict.with_answer(),
        false => verdict,
    }
}

/// Since 7.86 curl says `Failed to connect to HOST port 80 after 0 ms: Couldn't connect to server` of a
/// refused connection and of one without a way there. Where the host is this machine itself, it needed
/// no network.
fn curl_met_itself(stderr: &str) -> bool {
    let mut lines = text::lines(stderr).rev();
    let host = lines.find_map(|line| {
        let (_, rest) = line.split_once("Failed to connect to ")?;
        rest.split_once(" port ").map(|(host, _)| host)
    });
    host.is_some_and(is_loopback)
}

fn with_hint_of(hinted: Verdict, verdict: Verdict) -> Verdict {
    match hinted.hint() {
        Some(wait) => verdict.with_hint(wait),
        None => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(stop_on: &[&str], retry_on: &[&str]) -> Rules {
        let parse = |rules: &[&str]| rules.iter().map(|it| matcher::parse(it).unwrap()).collect();
        Rules {
            stop_on: parse(stop_on),
            retry_on: parse(retry_on),
            until_success: false,
            max_retry_after: Duration::from_secs(300),
            ..Rules::default()
        }
    }

    fn rule(rules: &Rules, status: u8, stderr: &str) -> &'static str {
        rules.judge(&Ending::Exited(status), stderr).rule()
    }

    #[test]
    fn what_the_user_says_comes_first() {
        let rules = rules(&["7", "fatal"], &["1-9", "127", "busy"]);
        assert_eq!(rule(&rules, 7, ""), "run.stop_on");
        assert_eq!(rule(&rules, 8, "fatal: no"), "run.stop_on");
        assert_eq!(rule(&rules, 8, ""), "run.retry_on");
        assert_eq!(rule(&rules, 64, "still busy"), "run.retry_on");
        assert_eq!(rule(&rules, 127, ""), "run.retry_on");
        assert_eq!(rule(&rules, 126, ""), "exit.cannot_run");
        assert_eq!(rule(&rules, 64, ""), "exit.usage");
        assert_eq!(rule(&rules, 10, ""), "unknown");
    }

    #[test]
    fn a_known_programs_status_says_more_than_everyday_words_and_less_than_a_phrase() {
        let curl = Rules { program: "/usr/bin/curl".to_owned(), ..Rules::default() };
        assert_eq!(rule(&curl, 7, ""), "exit.curl");
        assert_eq!(rule(&curl, 60, "(60) timeout of the day"), "exit.curl");
        assert_eq!(rule(&curl, 56, "(56) Permission denied"), "text.permission_denied");
        assert_eq!(rule(&curl, 22, "returned error: 503"), "http.503");
        assert_eq!(rule(&Rules::default(), 7, ""), "unknown");
    }

    #[test]
    fn what_curl_did_not_reach_on_this_machine_says_nothing_of_the_network() {
        let answered = |rules: &Rules, host: &str| {
            let stderr = format!(
                "curl: (7) Failed to connect to {host} port 9 after 0 ms: Couldn't connect to server\n"
            );
            let verdict = rules.judge(&Ending::Exited(7), &stderr);
            assert!(verdict.is_retryable());
            verdict.has_answer()
        };
        let until_success = Rules { until_success: true, ..Rules::default() };
        let by_status = rules(&[], &["7"]);
        for rules in [Rules::default(), until_success, by_status] {
            assert!(answered(&rules, "127.0.0.1"));
            assert!(answered(&rules, "::1"));
            assert!(answered(&rules, "localhost"));
            assert!(!answered(&rules, "10.9.0.2"));
        }
    }

    #[test]
    fn a_rule_of_the_user_is_never_unknown() {
        let verdict = rules(&[], &["9"]).judge(&Ending::Exited(9), "");
        assert_eq!(verdict.kind(), Kind::Other);
    }

    #[test]
    fn until_success_stops_only_where_it_must() {
        let rules = Rules { until_success: true, ..rules(&["3"], &[]) };
        let retried = |ending| rules.judge(&ending, "").is_retryable();
        assert!(retried(Ending::Exited(64)));
        assert!(retried(Ending::Signalled(15)));
        assert!(!retried(Ending::Exited(3)));
        assert!(!retried(Ending::Exited(127)));
    }

    #[test]
    fn signals_from_people_are_final_and_others_unknown() {
        let rules = Rules::default();
        let verdict = |signal| rules.judge(&Ending::Signalled(signal), "");
        for signal in [1, 2, 3, 15] {
            assert!(!verdict(signal).is_retryable());
        }
        assert_eq!(verdict(9), Verdict::unknown());
    }
}
