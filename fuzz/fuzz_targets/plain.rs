//! Parsed heads in a form that can be compared.

use http_types::Request;
use neap::http::fuzz::{Body, Head, Refused, ServiceHeads, TideHeads};

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

/// The heads of one connection, parsed for both doors.
#[derive(Default)]
pub struct Heads {
    tide: TideHeads,
    service: ServiceHeads,
}

impl Heads {
    #[allow(dead_code, reason = "one target needs it")]
    pub fn forget(&mut self) {
        self.tide.forget();
        self.service.forget();
    }
}

fn plain(head: &Head<Request>) -> Plain {
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

/// Returns what a tide app gets. Any other gets the same, but for what `http_types` cannot hold.
pub fn parse(heads: &mut Heads, bytes: &[u8]) -> Parsed {
    let tide = heads
        .tide
        .parse(bytes)
        .map(|head| head.map(|head| plain(&head)));
    let service = heads.service.parse(bytes);
    let (tide, service) = match (tide, service) {
        (Ok(Some(tide)), Ok(Some(service))) => (tide, service),
        (Ok(None), Ok(None)) => return Ok(None),
        // A method that `http_types` does not know.
        (Err(Refused(501, reason)), Ok(Some(_))) => return Err(Refused(501, reason)),
        (Err(tide), Err(service)) => {
            assert_eq!(tide, service, "the doors differ");
            return Err(tide);
        }
        (tide, service) => panic!("the doors differ: {tide:?}, {service:?}"),
    };
    let request = &service.request;
    assert_eq!(tide.method, request.method().as_str());
    assert_eq!(tide.version, format!("{:?}", request.version()));
    assert_eq!(
        (
            tide.body,
            tide.keep_alive,
            tide.expects_continue,
            tide.length
        ),
        (
            service.body,
            service.keep_alive,
            service.expects_continue,
            service.length
        )
    );
    let fields = request.headers();
    let names = fields.keys().map(|name| {
        let values = fields
            .get_all(name)
            .iter()
            .map(|value| escape(value.as_bytes()));
        (name.as_str().to_owned(), values.collect())
    });
    let mut fields: Vec<_> = names.collect();
    fields.sort();
    assert_eq!(tide.fields, fields);
    Ok(Some(tide))
}

/// Percent-encodes what is not ASCII.
fn escape(value: &[u8]) -> String {
    let escape = |byte: &u8| match byte.is_ascii() {
        true => char::from(*byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    value.iter().map(escape).collect()
}

pub fn parse_afresh(bytes: &[u8]) -> Parsed {
    parse(&mut Heads::default(), bytes)
}
