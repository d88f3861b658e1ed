//! Making a `Request` with a `Url` of a request target and a host.

use http_types::{Method, Request, Url};

use crate::http::codec::{RawHead, Refusal, RequestFraming, TargetForm, path_of};
use crate::http::request_context::RequestContext;
use crate::net::endpoint::Endpoint;

/// The longest target, and the longest host, that is remembered, in bytes.
const REMEMBERED: usize = 128;

/// Makes the requests of one connection, still without fields and body.
///
/// The most expensive step of making a request is `Url::parse`, the next is `Request::new`, which
/// makes a channel for trailers. Most requests of a connection name the same host, and many the same
/// target. So the last request is cloned, which leaves the channel out, and only the path and query
/// of its URL are replaced if they differ.
#[derive(Debug)]
pub(super) struct Targets {
    /// The address the connection arrived at.
    local: Box<str>,
    /// The address of the peer.
    peer: Box<str>,
    /// The scheme of the URLs.
    scheme: &'static str,
    /// The authority of a request that names none; `local` if it is `None`.
    default_host: Option<&'static str>,
    /// The host of `last`.
    host: String,
    /// The target of `last`.
    target: String,
    /// The last request, without its channel for trailers.
    last: Option<Box<Request>>,
}

impl Targets {
    pub(super) fn new(local: &Endpoint, peer: &Endpoint, scheme: &'static str) -> Self {
        Self {
            local: local.to_string().into(),
            peer: peer.to_string().into(),
            scheme,
            // A path is no host.
            default_host: local.tcp().is_none().then_some("localhost"),
            host: String::new(),
            target: String::new(),
            last: None,
        }
    }

    /// Makes the request of a head (RFC 9112, 3.2 and 3.3), with a channel for trailers if it may have
    /// some.
    ///
    /// # Errors
    ///
    /// `Url` does not take the target.
    #[inline(always)]
    pub(super) fn request(
        &mut self,
        method: Method,
        head: &RawHead<'_>,
    ) -> Result<Request, Refusal> {
        let target = head.target;
        let url = match head.form {
            TargetForm::Origin => return self.origin_form(method, head, target),
            TargetForm::Asterisk => return self.origin_form(method, head, "/*"),
            TargetForm::Authority => self.url(target, "")?,
            TargetForm::Absolute => {
                Url::parse(target).or_else(|_| self.url("", path_of(target)))?
            }
        };
        Ok(self.make(method, url))
    }

    /// Makes a request for a path and an optional query, the usual form.
    #[inline(always)]
    fn origin_form(
        &mut self,
        method: Method,
        head: &RawHead<'_>,
        target: &str,
    ) -> Result<Request, Refusal> {
        let host = head.host.unwrap_or_default();
        let is_chunked = head.facts.framing == RequestFraming::Chunked;
        let last = match &mut self.last {
            Some(last) if self.host == host => {
                if self.target != target {
                    set_target(last.url_mut(), target);
                }
                last
            }
            _ => {
                let request = self.make(method, self.url(host, target)?);
                // The clone has no channel.
                let clone = request.clone();
                if self.host != host {
                    self.forget();
                    // Many connections have one request alone: for that, no more is kept.
                    let is_short = host.len() <= REMEMBERED;
                    self.host.push_str(if is_short { host } else { "" });
                    return Ok(if is_chunked { request } else { clone });
                }
                self.last.insert(Box::new(clone))
            }
        };
        let request = if is_chunked {
            let url = last.url().clone();
            self.make(method, url)
        } else {
            let mut request = Request::clone(last);
            request.set_method(method);
            request
        };
        self.remember(target);
        Ok(request)
    }

    /// Makes the URL of a target. The default host stands in for one that is empty, or that `Url` does not
    /// take, such as `pod.1` or `[fe80::1%25eth0]`.
    fn url(&self, host: &str, target: &str) -> Result<Url, Refusal> {
        let (here, scheme) = (self.default_host.unwrap_or(&self.local), self.scheme);
        of_host(scheme, host, target)
            .or_else(|| of_host(scheme, here, target))
            .or_else(|| of_host(scheme, "localhost", target))
            .ok_or(Refusal::malformed("bad request target"))
    }

    /// Makes a request without the last one's help.
    fn make(&self, method: Method, url: Url) -> Request {
        let mut request = Request::new(method, url);
        request.set_local_addr(Some(&*self.local));
        request.set_peer_addr(Some(&*self.peer));
        request
    }

    /// Frees the last request, so that an idle connection stays small.
    pub(super) fn forget(&mut self) {
        self.last = None;
        self.host = String::new();
        self.target = String::new();
    }

    /// Remembers the target of `last`, or frees `last` if it is too long to keep.
    fn remember(&mut self, target: &str) {
        if target.len() > REMEMBERED || self.host.len() > REMEMBERED {
            self.forget();
        } else if self.target != target {
            self.target.clear();
            self.target.push_str(target);
        }
    }
}

/// Makes a URL of a `Uri` and the `Host` of its request, as [`Targets`] does it. Returns `None` if it would not
/// have the path of the `Uri`, which a layer may have made, or another server.
pub(super) fn url_of(
    uri: &::http::Uri,
    host: Option<&str>,
    context: Option<&RequestContext>,
) -> Option<Url> {
    let (path, target) = match uri.path_and_query() {
        Some(target) if target.as_str() == "*" => ("/*", "/*"),
        Some(target) => (target.path(), target.as_str()),
        // CONNECT has an authority alone.
        None => ("/", ""),
    };
    let scheme = context.map_or("http", RequestContext::scheme);
    let absolute = uri.scheme().and_then(|_| Url::parse(&uri.to_string()).ok());
    let url = absolute.or_else(|| {
        let authority = uri.authority().map(|authority| authority.as_str());
        let here = || context.and_then(|context| context.local().tcp());
        of_host(scheme, authority.or(host).unwrap_or_default(), target)
            .or_else(|| of_host(scheme, &here()?.to_string(), target))
            .or_else(|| of_host(scheme, "localhost", target))
    });
    url.filter(|url| url.path() == path)
}

/// Makes the URL of a target on this host. Returns `None` if `Url` does not take the host: a local address with
/// a scope is none, and without a host `Url` would take the beginning of the path for that.
fn of_host(scheme: &str, host: &str, target: &str) -> Option<Url> {
    match host {
        "" => None,
        host => Url::parse(&format!("{scheme}://{host}{target}")).ok(),
    }
}

/// Replaces a URL's path and query. What stays as it is is not parsed again.
pub(super) fn set_target(url: &mut Url, target: &str) {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    if url.path() != path {
        url.set_path(path);
    }
    if query.is_some() || url.query().is_some() {
        url.set_query(query);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::codec::parse;

    /// Returns the URLs of requests with these methods, hosts and targets; `None` for what is refused.
    fn urls(requests: &[(Method, Option<&str>, &str)]) -> Vec<Option<String>> {
        let here = Endpoint::Tcp("127.0.0.1:80".parse().unwrap());
        let mut targets = Targets::new(&here, &here, "http");
        let urls = requests.iter().map(|(method, host, target)| {
            let (version, host) = match host {
                Some(host) => ("1.1", format!("host: {host}\r\n")),
                None => ("1.0", String::new()),
            };
            let head = format!("{method} {target} HTTP/{version}\r\n{host}\r\n");
            let mut url = None;
            let parsed = parse(head.as_bytes(), |head| {
                let request = targets.request(*method, head)?;
                assert_eq!(request.method(), *method);
                assert_eq!(request.peer_addr(), Some("127.0.0.1:80"));
                url = Some(request.url().to_string());
                Ok(())
            });
            assert!(!matches!(parsed, Ok(None)), "{head}");
            url
        });
        urls.collect()
    }

    #[test]
    fn a_reused_url_is_the_url_parsed_afresh() {
        let long = format!("/{}", "x".repeat(2 * REMEMBERED));
        let targets = [
            "/", "/a?b=c", "/a?b=c", "/a", "//x/y", "/a/../b", "/%41?", "/ä?ö", "/a\\b", "/.a/...",
            &long, "/",
        ];
        let requests: Vec<_> = targets.map(|t| (Method::Get, Some("a.b"), t)).into();
        let reused = urls(&requests);
        for (request, reused) in requests.iter().zip(reused) {
            assert_eq!(urls(&[*request]), [reused], "{request:?}");
        }
    }

    #[test]
    fn takes_the_four_forms() {
        use Method::{Connect, Get, Options};
        let zone = "[fe80::1%25eth0]:81";
        let table = [
            (Get, Some("a"), "/x", "http://a/x"),
            (Get, Some(""), "/x", "http://127.0.0.1/x"),
            (Get, None, "/x", "http://127.0.0.1/x"),
            (Get, Some("[::1]:81"), "/x", "http://[::1]:81/x"),
            (Get, Some("a"), "http://b:82/y?z", "http://b:82/y?z"),
            (Options, Some("a"), "*", "http://a/*"),
            (Connect, Some("a"), "b:443", "http://b:443/"),
            // Hosts that `Url` does not take.
            (Get, Some("pod.1"), "/x?y", "http://127.0.0.1/x?y"),
            (Get, Some(zone), "/x", "http://127.0.0.1/x"),
            (Get, Some("a"), "http://pod.1/y?z", "http://127.0.0.1/y?z"),
            (Get, Some("a"), "https://pod.1?z", "http://127.0.0.1/?z"),
            (Connect, Some("a"), "pod.1:443", "http://127.0.0.1/"),
            (Get, Some("a:99999"), "/x", "http://127.0.0.1/x"),
        ];
        for (method, host, target, url) in table {
            let found = urls(&[(method, host, target)]);
            assert_eq!(found, [Some(url.to_owned())], "{method} {host:?} {target}");
        }
    }

    #[test]
    fn refuses_other_targets_and_hosts() {
        use Method::{Connect, Get};
        let table = [
            (Get, "a", "*"),
            (Get, "a", "x"),
            (Get, "a", "ftp://b/"),
            (Get, "a", "/x#y"),
            (Get, "a", "http://u@b/"),
            (Get, "a", "http://u:p@b/"),
            (Get, "a", "http:///b"),
            (Get, "a", "http://:80/b"),
            (Connect, "a", ":443"),
            (Get, "a", "http://b\\c"),
            (Get, "a", "http://b/#x"),
            (Get, "a", "http://b#/"),
            (Get, "u@a", "/x"),
            (Get, "a/b", "/x"),
            (Get, "a:b", "/x"),
            (Connect, "a", "u@b:443"),
            (Connect, "a", "/x"),
            (Connect, "a", "b"),
            (Connect, "a", "[::1]"),
            (Connect, "a", "b:"),
            (Connect, "a", "b:0"),
            (Connect, "a", "b:65536"),
            (Connect, "a", "b:+1"),
        ];
        for (method, host, target) in table {
            let found = urls(&[(method, Some(host), target)]);
            assert_eq!(found, [None], "{method} {host} {target}");
        }
    }

    #[test]
    fn refuses_paths_that_the_url_parser_would_change() {
        let table = [
            ("/x\\..\\hello", None),
            ("/.\\hello", None),
            ("/.%2e\\hello", None),
            ("/x/../hello", None),
            ("/x/..", None),
            ("/.", None),
            ("/./hello?x", None),
            ("/%2e%2E/hello", None),
            ("/x/%2e./hello", None),
            ("/%2E", None),
            ("http://b/x/../y", None),
            ("http://b/%2e%2e", None),
            ("/ä", None),
            ("/...", Some("http://a/...")),
            ("/.x/..y?../.", Some("http://a/.x/..y?../.")),
            ("/%2ex", Some("http://a/%2ex")),
        ];
        for (target, url) in table {
            let found = urls(&[(Method::Get, Some("a"), target)]);
            assert_eq!(found, [url.map(String::from)], "{target}");
        }
    }
    #[test]
    fn every_ascii_character_reaches_the_app_as_it_was_sent_or_is_refused() {
        let (mut in_path, mut in_query) = (String::new(), String::new());
        for byte in (0..128).map(char::from).filter(|byte| *byte != '?') {
            for (part, refused) in [("/a", &mut in_path), ("/?a", &mut in_query)] {
                let target = format!("{part}{byte}b");
                let absolute = format!("http://a{target}");
                // Alone, with the URL of the request before, and with a host in the target.
                let all = [&*target, "/", &target, &absolute];
                let found = urls(&all.map(|target| (Method::Get, Some("a"), target)));
                let sent = Some(match (part, byte) {
                    ("/?a", '\'') => "http://a/?a%27b".to_owned(),
                    _ => absolute.clone(),
                });
                match &found[0] {
                    None => refused.push(byte),
                    url => assert_eq!(*url, sent),
                }
                assert_eq!(found[2..], [found[0].clone(), found[0].clone()], "{target}");
            }
        }
        let controls: String = (0..33).chain([127]).map(char::from).collect();
        let sorted = |others: &str| {
            let mut all: Vec<_> = controls.chars().chain(others.chars()).collect();
            all.sort_unstable();
            String::from_iter(all)
        };
        assert_eq!(in_path, sorted("\"#<>\\`{}"));
        assert_eq!(in_query, sorted("\"#<>"));
    }
}
