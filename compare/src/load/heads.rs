//! The heads and bodies of requests, as text. `request` says what stands for something else in them.

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

#[cfg(test)]
mod tests {
    use super::ORDER;
    use crate::apps::order::Order;

    #[test]
    fn an_order_is_written_as_it_is_read() {
        let order: Order = serde_json::from_str(ORDER).expect("it is an order");
        let written = serde_json::to_string(&order).expect("it can be written");
        assert_eq!(written, ORDER);
    }
}
