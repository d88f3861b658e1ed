//! What must be so, whatever has happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use neap::http::Report;

use crate::client::{Connection, Result, ends_connection};
use crate::plan::{Out, Plan, Request, Sent, Settings};
use crate::run::History;
use crate::wire::{Head, Seen};

/// How long a group waits for what it has cancelled.
const CANCEL: Duration = Duration::from_millis(500);

/// No answer is as short as this, in bytes.
const SHORTEST: usize = 60;

pub struct Check<'a> {
    pub plan: &'a Plan,
    pub history: &'a History,
    /// From when on something may have been cut.
    cut_from: Option<Instant>,
    pub found: Vec<String>,
}

/// Returns what is wrong, in words.
pub fn check(plan: &Plan, history: &History) -> Vec<String> {
    let millis = |millis: Option<u64>| millis.map_or(Duration::MAX, Duration::from_millis);
    let settings = &plan.settings;
    let drain = millis(settings.own_drain).min(millis(Some(settings.drain)));
    let deadline = history.stop.map(|stop| stop + drain);
    let mut check = Check {
        plan,
        history,
        cut_from: history.cancel.into_iter().chain(deadline).min(),
        found: history.found.clone(),
    };
    check.end();
    check.reports();
    for connection in &history.connections {
        check.connection(connection);
    }
    check.handlers();
    check.counts();
    check.records();
    check.found
}

impl Check<'_> {
    pub fn is(&mut self, is_so: bool, words: impl FnOnce() -> String) {
        if !is_so {
            self.found.push(words());
        }
    }

    fn settings(&self) -> &Settings {
        &self.plan.settings
    }

    pub fn may_be_cut(&self, at: Instant) -> bool {
        self.cut_from.is_some_and(|from| at >= from)
    }

    /// Returns when the servers are restarted, or begin to end at the first time.
    fn restart(&self) -> Option<Instant> {
        let after = self.settings().restart.map(Duration::from_millis)?;
        Some(self.history.begin + after)
    }

    /// Returns how often each server runs, at the most.
    fn runs(&self) -> usize {
        1 + usize::from(self.settings().restart.is_some())
    }

    /// Returns true if a connection is one of a server that has been stopped, or restarted.
    fn was_stopped(&self, at: Instant, opened: Instant) -> bool {
        let restart = self.restart().filter(|restart| opened <= *restart);
        let told = self.history.stop.into_iter().chain(self.history.cancel);
        let told = told.chain(restart).min();
        told.is_some_and(|told| at >= told)
    }

    /// The group has ended in time, and nothing is left.
    fn end(&mut self) {
        let history = self.history;
        let drain = Duration::from_millis(self.settings().drain);
        let stop = history.stop.map(|stop| stop + drain);
        let limit = stop.into_iter().chain(history.cancel).min().unwrap() + CANCEL;
        let (late, open) = (history.end.checked_duration_since(limit), history.open_ends);
        self.is(late.unwrap_or_default().is_zero(), || {
            format!("ended {late:?} late")
        });
        self.is(open == 0, || format!("{open} ends are open"));
        for ledger in &history.ledgers {
            let (running, waiting) = (ledger.running(), ledger.waiting.load(Ordering::Relaxed));
            self.is(running == 0, || format!("{running} handlers are left"));
            self.is(waiting == 0, || format!("{waiting} wait for a stop token"));
        }
    }

    /// Each server that has drained, or has cut something, has reported that, once.
    fn reports(&mut self) {
        let history = self.history;
        let reports = &history.reports;
        let cut = reports
            .iter()
            .map(|report| report.cut.active + report.cut.responding);
        let cut: usize = cut.sum();
        let (all, servers) = (history.counts.cut, self.settings().servers);
        self.is(cut as u64 <= all, || format!("{all} cut, and {reports:?}"));
        let has_cut = history.connections.iter().any(|one| self.has_cut(one));
        // A close takes the answer from one that sends on, and was cut as it lingered.
        let tells = |report: &Report| !report.is_clean() || report.cut.linger > 0;
        let is_told = reports.iter().any(tells);
        self.is(is_told || !has_cut, || format!("a cut, and {reports:?}"));
        let drains = self.settings().drain > self.settings().lame_duck && history.cancel.is_none();
        let runs = self.runs();
        let is_right = reports.len() == servers * runs
            || !(drains && runs == 1) && reports.len() < servers * runs;
        self.is(is_right, || format!("{servers} servers, {reports:?}"));
        for report in reports {
            let (cut, all) = (report.cut.total(), report.found.total() + report.accepted);
            self.is(cut <= all, || {
                format!("more cut than there were: {report:?}")
            });
        }
    }

    /// Returns true if a request that a handler was called for was cut, not broken off by its own body.
    fn has_cut(&self, connection: &Connection) -> bool {
        let called = self.history.ledgers[connection.server]
            .called
            .lock()
            .unwrap();
        connection.results.iter().any(|result| {
            let breaks = matches!(
                self.plan.requests[result.number].handler.out,
                Out::Breaks(..)
            );
            let is_cut = match &result.seen {
                Seen::Whole(head, _) => self.is_of_cancel(head, result),
                Seen::Cut(..) | Seen::End => !breaks,
            };
            is_cut && called.contains(&result.number)
        })
    }

    fn connection(&mut self, connection: &Connection) {
        let extra = connection.extra;
        self.is(extra == 0, || {
            format!("{extra} bytes behind the last answer of {connection:?}")
        });
        let mut before: Option<&Result> = None;
        for (at, result) in connection.results.iter().enumerate() {
            let request = &self.plan.requests[result.number];
            let wrong = match &result.seen {
                Seen::Whole(head, body) => self
                    .answer(head, *body, request, result, connection.server)
                    .or_else(|| self.close(head, request, result, connection, at as u64 + 1)),
                seen => self.no_answer(seen, request, result, before, connection),
            };
            if let Some(wrong) = wrong {
                self.found.push(format!(
                    "{wrong}: {result:?} of {request:?}, opened {:?}",
                    connection.opened
                ));
            }
            before = Some(result);
        }
    }

    /// Returns what is wrong with an answer.
    fn answer(
        &self,
        head: &Head,
        body: u64,
        request: &Request,
        result: &Result,
        server: usize,
    ) -> Option<&'static str> {
        let settings = self.settings();
        let called = self.history.ledgers[server]
            .called
            .lock()
            .unwrap()
            .contains(&result.number);
        if head.status == 503 && head.retry_after.is_some() {
            let is_right = head.retry_after.as_deref() == Some("1") && body == 0;
            return match called {
                _ if !is_right => Some("not the answer of an overload"),
                true if settings.handler_timeout.is_none() => Some("turned away and served"),
                true if result.at - result.sent_at
                    < Duration::from_millis(settings.handler_timeout.unwrap()) =>
                {
                    Some("timed out early")
                }
                false if settings.max_in_flight.is_none() => Some("turned away without a limit"),
                _ => None,
            };
        }
        let is_cancelled = self.is_of_cancel(head, result);
        let (status, length) = expected(request);
        match () {
            () if is_cancelled => None,
            () if head.status == status && length.is_none_or(|length| length == body) => {
                let is_bad = matches!(request.body, Sent::Bad);
                let is_own = is_bad || matches!(request.handler.out, Out::Panic | Out::Breaks(..));
                (!is_own && !head.is_as_made).then_some("another body")
            }
            () if head.status == status => Some("a body of another length"),
            () => Some("another status"),
        }
    }

    /// Returns what is wrong about whether an answer says close.
    fn close(
        &self,
        head: &Head,
        request: &Request,
        result: &Result,
        connection: &Connection,
        count: u64,
    ) -> Option<&'static str> {
        let settings = self.settings();
        let opened = connection.opened.unwrap();
        let age = settings.max_connection_age.map(Duration::from_millis);
        let is_old =
            |at: Instant, part: f64| age.is_some_and(|age| at - opened >= age.mul_f64(part));
        let ends = ends_connection(head, request);
        let is_last = settings.max_requests == Some(count);
        let must = request.closes
            || is_last
            || is_old(result.sent_at, 1.1)
            || matches!(request.body, Sent::Bad)
            // The stop may have come in the same instant.
            || self.must_be_told(result.sent_at, opened);
        let breaks = matches!(request.handler.out, Out::Panic | Out::Breaks(..));
        let has_body = !matches!(request.body, Sent::None);
        let may = must
            || request.is_http10
            || breaks
            || has_body
            || head.status == 101
            || is_old(result.at, 0.9)
            || self.was_stopped(result.at, opened);
        match ends {
            true if !may => Some("closes for nothing"),
            false if must => Some("does not close"),
            _ => None,
        }
    }

    /// Returns what is wrong with an answer that has not come, or not to its end.
    fn no_answer(
        &self,
        seen: &Seen,
        request: &Request,
        result: &Result,
        before: Option<&Result>,
        connection: &Connection,
    ) -> Option<&'static str> {
        let breaks = matches!(request.handler.out, Out::Breaks(..));
        // What is left of a body is read away, but not waited for longer than the linger time.
        let is_impatient = self.settings().linger == 0;
        let may_be_left =
            before.is_some_and(|before| match self.plan.requests[before.number].body {
                Sent::None => false,
                Sent::Endless(_) => true,
                _ => is_impatient,
            });
        match seen {
            _ if self.may_be_cut(result.at) => None,
            Seen::Cut(Some(head), _) if breaks && head.is_as_made => None,
            // A reset takes what has come.
            Seen::Cut(None, _) | Seen::End if breaks => None,
            // An idle connection was closed as the request was sent.
            Seen::End if self.was_stopped(result.at, connection.opened.unwrap()) => None,
            Seen::End if may_be_left => None,
            _ => Some("no answer"),
        }
    }

    /// Returns true if a server was stopped, or restarted, before this.
    fn must_be_told(&self, at: Instant, opened: Instant) -> bool {
        let restart = self.restart().filter(|restart| opened < *restart);
        let told = self.history.stop.into_iter().chain(self.history.cancel);
        told.chain(restart).any(|told| at > told)
    }

    fn handlers(&mut self) {
        let settings = self.settings();
        // Each run has its own.
        let limit = settings.max_in_flight.map(|limit| limit * self.runs());
        let timeout = settings.handler_timeout;
        let is_roomy = settings.capacity >= 1024 * 1024;
        let all_well = self.all_well();
        for ledger in &self.history.ledgers {
            let most = ledger.most.load(Ordering::Relaxed);
            self.is(limit.is_none_or(|limit| most <= limit), || {
                format!("{most} in flight")
            });
            let longest = *ledger.longest.lock().unwrap();
            let timeout = timeout.map_or(Duration::MAX, Duration::from_millis);
            let is_right = longest <= timeout || !is_roomy || !all_well;
            self.is(is_right, || format!("a handler has lasted {longest:?}"));
        }
    }

    fn all_well(&self) -> bool {
        self.plan
            .clients
            .iter()
            .all(|client| client.leave.is_well())
    }

    fn counts(&mut self) {
        let (history, counts) = (self.history, &self.history.counts);
        let all = &history.connections;
        let probes = history.probes;
        self.is(counts.connections.total() == 0, || {
            format!("left: {counts:?}")
        });
        let opened = all.len() as u64 + probes;
        let is_exact = self.cut_from.is_none_or(|from| history.end < from);
        // A run that fails leaves nobody what is in its queue.
        let is_exact = is_exact && self.restart().is_none();
        let accepted = counts.accepted;
        self.is(
            accepted == opened || !is_exact && accepted <= opened,
            || format!("{accepted} accepted of {opened}"),
        );
        let sum = |of: fn(&Connection) -> u64| all.iter().map(of).sum::<u64>();
        let (read, sent) = (sum(|one| one.read), sum(|one| one.sent));
        // Those that have left have not seen all.
        let is_seen = all.iter().all(|one| !one.is_reset && !one.has_left);
        if probes == 0 {
            let is_right = counts.sent == read || !is_seen && counts.sent >= read;
            self.is(is_right, || {
                format!("{} sent, {read} read: {counts:?}", counts.sent)
            });
            self.is(counts.received <= sent, || {
                format!("{} received of {sent}", counts.received)
            });
        }
        self.answers(is_seen);
    }

    /// Each request is counted exactly once.
    fn answers(&mut self, is_seen: bool) {
        let (history, counts) = (self.history, &self.history.counts);
        // The answers that were seen, and those that may be the 503 of a cancel.
        let (mut seen, mut of_cancel) = (BTreeMap::new(), 0);
        let (mut begun, mut unsure) = (0, 0);
        for connection in &history.connections {
            let called = history.ledgers[connection.server].called.lock().unwrap();
            for result in &connection.results {
                let is_begun = match &result.seen {
                    Seen::Whole(head, _) if self.is_of_cancel(head, result) => {
                        of_cancel += 1;
                        // A request of which only a part of the head has come is none.
                        called.contains(&result.number)
                    }
                    Seen::Whole(head, _) => {
                        *seen.entry(head.status).or_insert(0) += 1;
                        true
                    }
                    Seen::Cut(..) => true,
                    Seen::End => called.contains(&result.number),
                };
                *if is_begun { &mut begun } else { &mut unsure } += 1;
            }
            for number in &connection.unknown {
                let is_begun = called.contains(number);
                *if is_begun { &mut begun } else { &mut unsure } += 1;
            }
            unsure += u64::from(connection.in_head);
        }
        let total: u64 = counts.answers.iter().map(|(_, count)| count).sum();
        // Those that have left have read nothing since, and more than this does not fit into their connections.
        let left = |one: &&Connection| one.has_left || one.is_reset;
        let left = history.connections.iter().filter(left);
        let fits = (self.settings().capacity / SHORTEST) as u64;
        let most = seen.values().sum::<u64>() + left.count() as u64 * fits + history.probes;
        self.is(total <= most, || {
            format!("{total} answers, at most {most} were written")
        });
        let counted = total + counts.cut - history.probes;
        let is_right = begun <= counted && counted <= begun + unsure;
        self.is(is_right, || {
            format!("{begun} to {} begun, {counted} counted", begun + unsure)
        });
        let statuses = seen
            .keys()
            .chain(counts.answers.iter().map(|(status, _)| status));
        for status in statuses.copied().collect::<BTreeSet<u16>>() {
            let count = counts.answers.iter().find(|(one, _)| *one == status);
            let count = count.map_or(0, |(_, count)| *count);
            let least = seen.get(&status).copied().unwrap_or(0);
            let most = least + if status == 503 { of_cancel } else { 0 };
            let is_probed = history.probes > 0 && matches!(status, 200 | 503);
            let is_right = count >= least && (count <= most || !is_seen || is_probed);
            self.is(is_right, || {
                format!("{count} times {status}, {least} to {most} seen")
            });
        }
    }

    /// Returns true if an answer may be that of a cancel, which is counted as cut.
    pub fn is_of_cancel(&self, head: &Head, result: &Result) -> bool {
        let is_bare = head.status == 503 && head.retry_after.is_none();
        is_bare && head.closes && self.may_be_cut(result.at)
    }
}

/// Returns the status of a request's answer, and how many bytes its body has.
fn expected(request: &Request) -> (u16, Option<u64>) {
    if let Sent::Bad = request.body {
        return (400, None);
    }
    let is_head = request.method == "HEAD";
    match request.handler.out {
        Out::Panic => (500, None),
        Out::Length(status, length) => match is_head || matches!(status, 204 | 304) {
            true => (status, Some(0)),
            false => (status, Some(length as u64)),
        },
        Out::Parts(parts, ..) if !is_head => (200, Some((parts * request.handler.part) as u64)),
        Out::Breaks(..) if !is_head => (500, None),
        Out::Upgrade(_) => (101, Some(0)),
        Out::Parts(..) | Out::Breaks(..) => (200, Some(0)),
        Out::UntilStop(_) => (200, None),
    }
}
