//! What the access logs have to say.

use std::collections::BTreeMap;
use std::time::Duration;

use neap::http::Access;

use crate::check::Check;
use crate::client::{Connection, Result};
use crate::wire::Seen;

impl Check<'_> {
    /// Each request has one record, that of what its client has seen, in order.
    pub fn records(&mut self) {
        let history = self.history;
        let mut others = 0;
        for (server, records) in history.records.iter().enumerate() {
            let of = |connection: &&Connection| connection.server == server;
            let is_of = |access: &&Access, connection: &Connection| {
                Some(&access.peer) == connection.peer.as_ref()
            };
            others += records.len();
            for connection in history.connections.iter().filter(of) {
                let own: Vec<_> = records
                    .iter()
                    .filter(|one| is_of(one, connection))
                    .collect();
                others -= own.len();
                if let Some(wrong) = self.records_of(connection, &own) {
                    self.found
                        .push(format!("{wrong}: {own:#?} of {connection:#?}"));
                }
            }
        }
        self.is(others as u64 == history.probes, || {
            format!("{others} records of {} probes", history.probes)
        });
        self.records_are_counts();
    }

    /// The records are those that the counters have.
    fn records_are_counts(&mut self) {
        let counts = &self.history.counts;
        let (mut answers, mut cut) = (BTreeMap::new(), 0);
        for access in self.history.records.iter().flatten() {
            match (access.is_cut, access.status) {
                (false, Some(status)) => *answers.entry(status.as_u16()).or_insert(0_u64) += 1,
                (true, _) => cut += 1,
                (false, None) => self.found.push(format!("sent nothing whole: {access}")),
            }
        }
        let answers: Vec<_> = answers.into_iter().collect();
        self.is(answers == counts.answers && cut == counts.cut, || {
            format!("records of {answers:?} and {cut} cut, and {counts:?}")
        });
    }

    fn records_of(&self, connection: &Connection, all: &[&Access]) -> Option<&'static str> {
        let called = self.history.ledgers[connection.server].called.lock();
        let called = called.unwrap();
        let mut records = all.iter();
        for result in &connection.results {
            let is_begun = match &result.seen {
                Seen::Whole(head, _) if self.is_of_cancel(head, result) => {
                    called.contains(&result.number)
                }
                Seen::Whole(..) | Seen::Cut(..) => true,
                Seen::End => called.contains(&result.number),
            };
            match records.as_slice().first() {
                Some(access) => {
                    // One that has not begun is the last one.
                    if let Some(wrong) = self.record(access, result, connection) {
                        return Some(wrong);
                    }
                    records.next();
                }
                None if is_begun => return Some("no record"),
                None => {}
            }
        }
        // What the client has not read is in between.
        let bytes: u64 = all.iter().map(|access| access.bytes).sum();
        if bytes > connection.read + self.plan.settings.capacity as u64 {
            return Some("more bytes than have left");
        }
        let mut left = records.as_slice();
        for number in &connection.unknown {
            match left {
                [access, rest @ ..] if access.path == format!("/{number}") => left = rest,
                _ if called.contains(number) => return Some("no record of one unseen"),
                _ => {}
            }
        }
        let has_bad = left.iter().all(|access| access.method.is_none());
        match left {
            [] => None,
            [_] if has_bad && connection.has_left => None,
            _ => Some("too many records"),
        }
    }

    /// Returns what is wrong with a record.
    fn record(
        &self,
        access: &Access,
        result: &Result,
        connection: &Connection,
    ) -> Option<&'static str> {
        let request = &self.plan.requests[result.number];
        let status = access.status.map(|status| status.as_u16());
        let is_known = access.method.is_some();
        if is_known != !matches!(request.body, crate::plan::Sent::Bad) {
            return Some("known or not");
        }
        if is_known && access.path != format!("/{}", result.number) {
            return Some("another request");
        }
        if is_known && access.method.as_ref().unwrap() != request.method {
            return Some("another method");
        }
        if access.duration > result.at - result.sent_at {
            return Some("too long");
        }
        let wait = Duration::from_millis(request.handler.wait);
        let is_served = status == Some(200) && !access.is_cut;
        if is_served && access.duration < wait {
            return Some("too short");
        }
        match &result.seen {
            Seen::Whole(head, _) if self.is_of_cancel(head, result) && access.is_cut => {
                let is_right = status == Some(503) && access.bytes == 0;
                (!is_right).then_some("another answer to a cancelled one")
            }
            // The reset of a cancel takes what has come.
            Seen::Cut(None, _) | Seen::End if self.may_be_cut(result.at) => None,
            Seen::Whole(head, body) => {
                let is_right = (status, access.bytes) == (Some(head.status), *body);
                (!is_right || access.is_cut).then_some("another answer")
            }
            Seen::Cut(head, body) => {
                let is_right = head.as_ref().is_none_or(|head| status == Some(head.status));
                let bytes_right = connection.is_reset || access.bytes <= *body;
                let close = access.bytes + 64 >= *body;
                (!is_right || !access.is_cut || !bytes_right || !close).then_some("another cut")
            }
            Seen::End => (!access.is_cut).then_some("whole, but nothing was seen"),
        }
    }
}
