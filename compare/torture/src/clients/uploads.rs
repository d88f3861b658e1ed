//! Requests with a body.

use super::{Client, Connection, post};

/// Sends a body in pieces, and checks that all of it has come.
pub(super) fn length(client: &mut Client<'_>, connection: &mut Connection) {
    loop {
        let length = client.rng.usize(1..200_000);
        let began = client.sending(connection);
        let head = post("/read", &format!("content-length: {length}\r\n"));
        let mut message = head.into_bytes();
        message.resize(message.len() + length, b'x');
        let piece = client.rng.usize(1000..100_000);
        for piece in message.chunks(piece) {
            if let Err(missing) = connection.send(piece) {
                return client.count_missing(missing, began);
            }
            client.pause(2);
        }
        match client.receive(connection, 200, false, began) {
            Some(answer) if answer.body != length.to_string().as_bytes() => {
                return client.check(false, || format!("{length} bytes: {answer:?}"));
            }
            Some(answer) if !answer.closes() => {}
            _ => return,
        }
    }
}

/// Sends a body that is streamed back.
pub(super) fn echo(client: &mut Client<'_>, connection: &mut Connection) {
    loop {
        let body = vec![client.rng.u8(..); client.rng.usize(1..60_000)];
        let head = post("/echo", &format!("content-length: {}\r\n", body.len()));
        let message = [head.as_bytes(), &body].concat();
        match client.request(connection, message, 200) {
            Some(answer) if answer.body != body => {
                return client.check(false, || {
                    format!("{} bytes of {}", answer.body.len(), body.len())
                });
            }
            Some(answer) if !answer.closes() => {}
            _ => return,
        }
    }
}

/// Sends a body in chunks of all sizes, and has it back.
pub(super) fn chunked(client: &mut Client<'_>, connection: &mut Connection) {
    loop {
        let body = vec![client.rng.u8(..); client.rng.usize(1..40_000)];
        let mut message = post("/echo", "transfer-encoding: chunked\r\n").into_bytes();
        let mut left = &body[..];
        while !left.is_empty() {
            let size = client.rng.usize(1..=4000.min(left.len()));
            message.extend_from_slice(format!("{size:x}\r\n").as_bytes());
            message.extend_from_slice(&left[..size]);
            message.extend_from_slice(b"\r\n");
            left = &left[size..];
        }
        message.extend_from_slice(b"0\r\n\r\n");
        match client.request(connection, message, 200) {
            Some(answer) if answer.body != body => {
                return client.check(false, || {
                    format!("{} bytes of {}", answer.body.len(), body.len())
                });
            }
            Some(answer) if !answer.closes() => {}
            _ => return,
        }
    }
}

/// Waits to be asked for the body.
pub(super) fn expect(client: &mut Client<'_>, connection: &mut Connection) {
    while expect_once(client, connection, "/read", b"5") {}
}

/// Waits to be asked for a body that the response streams back.
pub(super) fn expect_echo(client: &mut Client<'_>, connection: &mut Connection) {
    while expect_once(client, connection, "/echo", b"hello") {}
}

/// Returns true if another request can follow.
fn expect_once(
    client: &mut Client<'_>,
    connection: &mut Connection,
    path: &str,
    right: &[u8],
) -> bool {
    let began = client.sending(connection);
    let head = post(path, "content-length: 5\r\nexpect: 100-continue\r\n");
    let asked = connection
        .send(head)
        .and_then(|()| connection.any_answer(false));
    match asked {
        Ok(answer) if answer.status == 100 => {}
        Ok(answer) => {
            client.check(false, || format!("not asked for the body: {answer:?}"));
            return false;
        }
        Err(missing) => {
            client.count_missing(missing, began);
            return false;
        }
    }
    let began = client.sending(connection);
    if let Err(missing) = connection.send("hello") {
        client.count_missing(missing, began);
        return false;
    }
    let Some(answer) = client.receive(connection, 200, false, began) else {
        return false;
    };
    client.check(answer.body == right, || format!("{answer:?}"));
    !answer.closes()
}

/// Sends a long body to a handler that answers without it. The answer must come whole.
pub(super) fn unread(client: &mut Client<'_>, connection: &mut Connection) {
    let length = client.rng.usize(100..400_000);
    let head = post("/hello", &format!("content-length: {length}\r\n"));
    let began = client.sending(connection);
    let mut message = head.into_bytes();
    message.resize(message.len() + length, b'x');
    if let Err(missing) = connection.send(message) {
        return client.count_missing(missing, began);
    }
    client.receive(connection, 405, false, began);
    client.pause(10);
}

/// Sends uploads and what follows them at once.
pub(super) fn pipelined(client: &mut Client<'_>, connection: &mut Connection) {
    loop {
        let lengths: Vec<usize> = (0..client.rng.usize(2..6))
            .map(|_| client.rng.usize(1..3000))
            .collect();
        let mut message = Vec::new();
        for length in &lengths {
            let head = post("/read", &format!("content-length: {length}\r\n"));
            message.extend_from_slice(head.as_bytes());
            message.resize(message.len() + length, b'x');
        }
        let mut began = client.sending(connection);
        if let Err(missing) = connection.send(message) {
            return client.count_missing(missing, began);
        }
        for length in lengths {
            let Some(answer) = client.receive(connection, 200, false, began) else {
                return;
            };
            let right = answer.body == length.to_string().as_bytes();
            client.check(right, || format!("{length} bytes: {answer:?}"));
            if answer.closes() {
                return client.expect_end(connection);
            }
            began = connection.since;
        }
    }
}
