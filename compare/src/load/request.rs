//! The bytes of requests, of which some are new each time.

use std::net::SocketAddr;

use super::loads::Load;

/// A head with no fields but what HTTP requires, the same each time.
pub(super) const HELLO: &str = "GET /hello HTTP/1.1\r\nHost: $host\r\n\r\n";

/// The same with a new query each time.
pub(super) const QUERY: &str = "GET /hello?page=######## HTTP/1.1\r\nHost: $host\r\n\r\n";

/// A browser's head, with what proxies add: 12 fields, and a new `traceparent` (W3C Trace Context, 3.2)
/// each time.
pub(super) const PROXY: &str = "GET /hello HTTP/1.1\r\n\
    Host: shop.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: de-DE,de;q=0.8,en-US;q=0.5,en;q=0.3\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Cookie: session=5f0c6b1e7a934d2f8e01b7c9d3a4f625; theme=dark\r\n\
    Cache-Control: max-age=0\r\n\
    X-Forwarded-For: 203.0.113.195, 198.51.100.7\r\n\
    X-Forwarded-Proto: https\r\n\
    X-Forwarded-Host: shop.example.com\r\n\
    X-Real-IP: 203.0.113.195\r\n\
    traceparent: 00-################################-################-01\r\n\r\n";

/// An order of 1 kB, as the apps write it too.
pub(super) const ORDER: &str = "{\"id\":9007199254740,\"customer\":{\"name\":\"Grace Hopper\",\"street\":\"12 Harbour Road\",\
    \"city\":\"Arlington\",\"country\":\"US\"},\"items\":[{\"sku\":\"KB-87-ISO\",\"title\":\"A keyboard \
    with 87 keys, \\\"quiet\\\"\",\"count\":1,\"price\":129.95,\"tags\":[\"desk\",\"input\",\"quiet\"]},\
    {\"sku\":\"MN-27-4K\",\"title\":\"A monitor of 27 inches\",\"count\":2,\"price\":349.5,\"tags\":\
    [\"desk\",\"display\"]},{\"sku\":\"CB-USBC-2M\",\"title\":\"A cable of two metres\",\"count\":4,\
    \"price\":12.25,\"tags\":[\"cable\"]},{\"sku\":\"ST-ARM\",\"title\":\"An arm for a monitor\",\
    \"count\":2,\"price\":89.75,\"tags\":[\"desk\",\"mount\",\"steel\"]},{\"sku\":\"PD-XL\",\"title\":\
    \"A pad of felt, 90 by 40 cm\",\"count\":1,\"price\":24.5,\"tags\":[\"desk\",\"felt\"]}],\
    \"express\":true,\"total\":1081.95,\"note\":\"Please ring twice: the bell is old, and so is the \
    dog. If nobody is in, the neighbours at number 14 take it; they know, and they are in until six. \
    The invoice goes to the office, not into the parcel, as the last time; the order number of ours \
    that has to be on it is PO-2026-11-0042.\"}";

/// The head before an order that a program posts.
pub(super) const JSON: &str = "POST /order HTTP/1.1\r\n\
    Host: $host\r\n\
    Accept: application/json\r\n\
    Content-Type: application/json\r\n\
    Content-Length: $length\r\n\
    traceparent: 00-################################-################-01\r\n\r\n";

/// The head before an upload.
pub(super) const UPLOAD: &str =
    "POST /upload HTTP/1.1\r\nHost: $host\r\nContent-Length: $length\r\n\r\n";

/// A request that is sent again and again. In its head `$host` stands for the server's address, `$length`
/// for the length of what follows, and a run of eight or more `#` for hexadecimal digits that are new each
/// time.
#[derive(Debug)]
pub(super) struct Template {
    bytes: Vec<u8>,
    /// Where digits are new each time.
    places: Vec<usize>,
    count: u64,
}

impl Template {
    /// Makes the requests of a load to a server. Those of another `seed` have other digits.
    pub(super) fn new(load: &Load, address: SocketAddr, seed: usize) -> Template {
        let length = load.body.len() as u64 + load.upload;
        let head = load.head.replace("$host", &address.to_string());
        let bytes = head.replace("$length", &length.to_string()) + load.body;
        let bytes = bytes.into_bytes();
        let runs = bytes.chunk_by(|one, other| (*one == b'#') == (*other == b'#'));
        let (mut at, mut places) = (0, Vec::new());
        for run in runs {
            if run.starts_with(b"########") {
                places.extend(at..at + run.len());
            }
            at += run.len();
        }
        Template {
            bytes,
            places,
            count: (seed as u64) << 40,
        }
    }

    /// Appends the next request.
    pub(super) fn write_next(&mut self, out: &mut Vec<u8>) {
        let mut digits = 0;
        for (nth, place) in self.places.iter().enumerate() {
            if nth % 16 == 0 {
                self.count += 1;
                digits = mix(self.count);
            }
            self.bytes[*place] = b"0123456789abcdef"[(digits & 15) as usize];
            digits >>= 4;
        }
        out.extend_from_slice(&self.bytes);
    }
}

/// Spreads a number over all bits: the function of splitmix64 (Steele, Lea and Flood, 2014).
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::{ORDER, Template};
    use crate::apps::order::Order;
    use crate::load::{REALISTIC, named};

    #[test]
    fn what_is_new_is_new_each_time() {
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        for load in [REALISTIC, named("query").expect("there is one")[0]] {
            let mut template = Template::new(load, address, 0);
            let mut request = || {
                let mut bytes = Vec::new();
                template.write_next(&mut bytes);
                String::from_utf8(bytes).expect("requests are ASCII")
            };
            let (one, other) = (request(), request());
            assert_ne!(one, other);
            assert!(!one.contains('#') && !one.contains('$'), "{one}");
        }
    }

    #[test]
    fn an_order_is_written_as_it_is_read() {
        let order: Order = serde_json::from_str(ORDER).expect("it is an order");
        let written = serde_json::to_string(&order).expect("it can be written");
        assert_eq!(written, ORDER);
    }
}
