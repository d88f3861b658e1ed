//! Requests without a body.

use super::{Client, Connection, get};
use crate::connection::{Answer, Missing};

const HELLO: &[u8] = b"Hello World!";

/// Sends a request as soon as the last one is answered.
pub(super) fn back_to_back(client: &mut Client<'_>, connection: &mut Connection) {
    while let Some(answer) = client.request(connection, get("/hello"), 200) {
        client.check(answer.body == HELLO, || format!("{answer:?}"));
        if answer.closes() {
            return;
        }
    }
}

/// Sends one request and closes.
pub(super) fn fresh(client: &mut Client<'_>, connection: &mut Connection) {
    if let Some(answer) = client.request(connection, get("/hello"), 200) {
        client.check(answer.body == HELLO, || format!("{answer:?}"));
    }
}

/// Asks the server to close after the only request.
pub(super) fn fresh_close(client: &mut Client<'_>, connection: &mut Connection) {
    let request = "GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    if let Some(answer) = client.request(connection, request, 200) {
        client.check(answer.closes() && answer.body == HELLO, || {
            format!("{answer:?}")
        });
        client.expect_end(connection);
    }
}

/// Sends several requests at once. Those behind an answer that closes are not lost.
pub(super) fn pipelined(client: &mut Client<'_>, connection: &mut Connection) {
    loop {
        let lengths: Vec<usize> = (0..client.rng.usize(2..24))
            .map(|_| client.rng.usize(0..2000))
            .collect();
        let requests: String = lengths
            .iter()
            .map(|length| get(&format!("/bytes/{length}")))
            .collect();
        let mut began = client.sending(connection);
        if let Err(missing) = connection.send(requests) {
            return client.count_missing(missing, began);
        }
        for length in lengths {
            let Some(answer) = client.receive(connection, 200, false, began) else {
                return;
            };
            client.check(answer.body.len() == length, || {
                format!("{length} bytes: {answer:?}")
            });
            if answer.closes() {
                return client.expect_end(connection);
            }
            began = connection.since;
        }
    }
}

/// Sends a head in three pieces.
pub(super) fn pieces(client: &mut Client<'_>, connection: &mut Connection) {
    loop {
        let request = get("/hello");
        let cuts = [client.rng.usize(1..12), client.rng.usize(12..request.len())];
        let began = client.sending(connection);
        for piece in [
            &request[..cuts[0]],
            &request[cuts[0]..cuts[1]],
            &request[cuts[1]..],
        ] {
            if let Err(missing) = connection.send(piece) {
                return client.count_missing(missing, began);
            }
            client.pause(10);
        }
        match client.receive(connection, 200, false, began) {
            Some(answer) if !answer.closes() => {}
            _ => return,
        }
    }
}

/// Asks a handler that takes its time.
pub(super) fn slow_handler(client: &mut Client<'_>, connection: &mut Connection) {
    loop {
        let request = get(&format!("/slow/{}", client.rng.u64(0..100)));
        match client.request(connection, request, 200) {
            Some(answer) if !answer.closes() => {}
            _ => return,
        }
    }
}

/// Downloads some megabytes.
pub(super) fn large(client: &mut Client<'_>, connection: &mut Connection) {
    let length = client.rng.usize(1_000_000..8_000_000);
    if let Some(answer) = client.request(connection, get(&format!("/bytes/{length}")), 200) {
        client.check(answer.body.len() == length, || {
            format!("{} bytes", answer.body.len())
        });
    }
    client.pause(50);
}

/// Reads slowly what the server has at once.
pub(super) fn slow_reader(client: &mut Client<'_>, connection: &mut Connection) {
    let began = client.sending(connection);
    if let Err(missing) = connection.send(get("/bytes/1000000")) {
        return client.count_missing(missing, began);
    }
    let mut left = 1_000_000;
    while left > 100_000 {
        match connection.take(20_000) {
            Ok(_) => left -= 20_000,
            Err(missing) => return client.count_missing(missing, began),
        }
        client.pause(10);
    }
    match connection.take(left) {
        Ok(_) => client.tally.add(|tally| &tally.answered),
        Err(missing) => client.count_missing(missing, began),
    }
}

/// Reads a body that comes in parts.
pub(super) fn stream(client: &mut Client<'_>, connection: &mut Connection) {
    loop {
        let parts = client.rng.usize(0..30);
        match client.request(connection, get(&format!("/stream/{parts}/2")), 200) {
            Some(answer) if answer.body.len() == 5 * parts => {
                if answer.closes() {
                    return;
                }
            }
            Some(answer) => return client.check(false, || format!("{parts} parts: {answer:?}")),
            None => return,
        }
    }
}

/// Asks for the head alone; what follows must be framed right.
pub(super) fn head(client: &mut Client<'_>, connection: &mut Connection) {
    loop {
        let began = client.sending(connection);
        if let Err(missing) = connection.send("HEAD /bytes/1000 HTTP/1.1\r\nhost: a\r\n\r\n") {
            return client.count_missing(missing, began);
        }
        let Some(answer) = client.receive(connection, 200, true, began) else {
            return;
        };
        client.check(answer.field("content-length") == Some("1000"), || {
            format!("{answer:?}")
        });
        if answer.closes() {
            return;
        }
        match client.request(connection, get("/hello"), 200) {
            Some(Answer { body, .. }) if body != HELLO => {
                return client.check(false, || format!("{body:?}"));
            }
            Some(answer) if !answer.closes() => {}
            _ => return,
        }
    }
}

/// HTTP/1.0: the server closes after the answer.
pub(super) fn http10(client: &mut Client<'_>, connection: &mut Connection) {
    let began = client.sending(connection);
    let path = ["/hello", "/stream/4/1"][client.rng.usize(0..2)];
    if let Err(missing) = connection.send(format!("GET {path} HTTP/1.0\r\n\r\n")) {
        return client.count_missing(missing, began);
    }
    // A body delimited by the close has no other sign that it is whole.
    match connection.answer(false) {
        Ok(answer) if answer.body.len() == if path == "/hello" { 12 } else { 20 } => {
            client.tally.add(|tally| &tally.answered);
            client.expect_end(connection);
        }
        Ok(answer) => client.check(false, || format!("{answer:?}")),
        Err(missing) => client.count_missing(missing, began),
    }
}

/// HTTP/1.0 with a connection that is kept, as `ab -k` does.
pub(super) fn http10_keep_alive(client: &mut Client<'_>, connection: &mut Connection) {
    loop {
        let request = "GET /hello HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
        let Some(answer) = client.request(connection, request, 200) else {
            return;
        };
        client.check(answer.body == HELLO, || format!("{answer:?}"));
        if answer.field("connection") != Some("keep-alive") {
            // The client closes only once the server has.
            return match connection.drain() {
                Ok(()) | Err(Missing::Silence) => {}
                Err(missing) => client
                    .tally
                    .fault(|tally| &tally.reset, || format!("{missing:?}")),
            };
        }
    }
}
