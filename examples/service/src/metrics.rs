//! Numbers for Prometheus.

use std::fmt;
use std::sync::Arc;

use neap::http::Counters;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// The numbers of the program. Clones are of the same.
#[derive(Clone)]
pub struct Metrics {
    /// What the HTTP server counts.
    pub http: Counters,
    /// What has happened to letters.
    letters: Family<[(&'static str, &'static str); 1], Counter>,
    registry: Arc<Registry>,
}

impl Metrics {
    pub fn new() -> Metrics {
        let (http, letters) = (Counters::new(), Family::default());
        let mut registry = Registry::default();
        registry.register(
            "letters",
            "Letters, by what has happened to them",
            letters.clone(),
        );
        registry.register_collector(Box::new(Http(http.clone())));
        Metrics {
            http,
            letters,
            registry: Arc::new(registry),
        }
    }

    /// Counts something that has happened to a letter.
    pub fn count(&self, event: &'static str) {
        self.letters.get_or_create(&[("event", event)]).inc();
    }

    /// Returns all numbers in the text format of OpenMetrics.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut rendered = String::new();
        text::encode(&mut rendered, &self.registry)?;
        Ok(rendered)
    }
}

/// The numbers of the server, which are read when they are asked for.
#[derive(Debug)]
struct Http(Counters);

impl Collector for Http {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let counts = self.0.read();
        let tally = counts.connections;
        let states = [
            ("fresh", tally.fresh),
            ("head", tally.head),
            ("active", tally.active),
            ("responding", tally.responding),
            ("idle", tally.idle),
            ("upgraded", tally.upgraded),
            ("linger", tally.linger),
        ];
        let mut connections = encoder.encode_descriptor(
            "http_connections",
            "Connections, by state",
            None,
            MetricType::Gauge,
        )?;
        for (state, count) in states {
            let gauge = ConstGauge::new(count as u64);
            gauge.encode(connections.encode_family(&[("state", state)])?)?;
        }
        let mut responses = encoder.encode_descriptor(
            "http_responses",
            "Responses, by status",
            None,
            MetricType::Counter,
        )?;
        for (status, count) in &counts.answers {
            let counter = ConstCounter::new(*count);
            counter.encode(responses.encode_family(&[("status", status.to_string())])?)?;
        }
        for (name, help, count) in [
            (
                "http_accepted",
                "Connections that were accepted",
                counts.accepted,
            ),
            ("http_responses_cut", "Responses that were cut", counts.cut),
            (
                "http_received_bytes",
                "Bytes that were read",
                counts.received,
            ),
            ("http_sent_bytes", "Bytes that were written", counts.sent),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        Ok(())
    }
}
