//! Clients that break off, and requests that break.

use super::{Client, Connection, get, post};

/// Asks for a handler that panics: a 500 and a close.
pub(super) fn panics(client: &mut Client<'_>, connection: &mut Connection) {
    if let Some(answer) = client.request(connection, get("/panic"), 500) {
        client.check(answer.closes(), || format!("{answer:?}"));
        client.expect_end(connection);
    }
    client.pause(20);
}

/// Sends what is not HTTP: a 400 and a close.
pub(super) fn garbage(client: &mut Client<'_>, connection: &mut Connection) {
    let texts = [
        "\0\x01\x02\r\n\r\n",
        "GET /x/../hello HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /hello HTTP/1.1\r\n\r\n",
        "GET /hello HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /hello HTTP/1.1\nhost: a\n\n",
        "POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nz\r\n",
    ];
    let text = texts[client.rng.usize(0..texts.len())];
    if let Some(answer) = client.request(connection, text, 400) {
        client.check(answer.closes(), || format!("{answer:?}"));
        client.expect_end(connection);
    }
    client.pause(10);
}

/// Begins something and resets the connection.
pub(super) fn reset(client: &mut Client<'_>, connection: &mut Connection) {
    begin_and_break(client, connection);
    if let Ok(stream) = connection.stream.try_clone() {
        let _ = socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
    }
    client.tally.add(|tally| &tally.ended);
}

/// Begins something and closes the connection.
pub(super) fn leaves(client: &mut Client<'_>, connection: &mut Connection) {
    begin_and_break(client, connection);
    client.tally.add(|tally| &tally.ended);
}

/// Begins one of several exchanges. Whether that works is of no interest.
fn begin_and_break(client: &mut Client<'_>, connection: &mut Connection) {
    let part = client.rng.usize(0..20_000);
    let _ = match client.rng.usize(0..7) {
        0 => Ok(()),
        1 => connection.send("GET /hel"),
        2 => connection.send(get("/slow/500")),
        3 => connection
            .send(get("/bytes/3000000"))
            .and_then(|()| connection.take(part).map(drop)),
        4 => connection
            .send(get("/stream/100/5"))
            .and_then(|()| connection.take(100).map(drop)),
        5 => connection.send(post("/read", "content-length: 100000\r\n") + &"x".repeat(part)),
        _ => connection.send(post("/echo", "transfer-encoding: chunked\r\n") + "5\r\nhello\r\n7"),
    };
    client.pause(5);
}
