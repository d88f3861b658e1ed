//! Parsed heads in a form that can be compared.

use neap::http::fuzz::{Body, Head, Heads, Refused};

/// A head in a form that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    pub method: String,
    pub url: String,
    pub version: String,
    pub fields: Vec<(String, Vec<String>)>,
    pub body: Body,
    pub keep_alive: bool,
    pub expects_continue: bool,
    pub length: usize,
}

pub type Parsed = Result<Option<Plain>, Refused>;

fn plain(head: &Head) -> Plain {
    let request = &head.request;
    let mut fields: Vec<_> = request
        .iter()
        .map(|(name, values)| {
            let values = values.iter().map(|value| value.as_str().to_owned());
            (name.as_str().to_owned(), values.collect())
        })
        .collect();
    fields.sort();
    let version = request.version().expect("a version").to_string();
    assert_eq!(head.is_http10, version == "HTTP/1.0");
    Plain {
        method: request.method().to_string(),
        url: request.url().to_string(),
        version,
        fields,
        body: head.body,
        keep_alive: head.keep_alive,
        expects_continue: head.expects_continue,
        length: head.length,
    }
}

pub fn parse(heads: &mut Heads, bytes: &[u8]) -> Parsed {
    Ok(heads.parse(bytes)?.map(|head| plain(&head)))
}

pub fn parse_afresh(bytes: &[u8]) -> Parsed {
    parse(&mut Heads::default(), bytes)
}
