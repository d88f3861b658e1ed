//! Clients that hold a drain up until its deadline. What they had begun is cut then.

use super::{Client, Connection, get, post};

/// Reads a stream that never ends.
pub(super) fn events(client: &mut Client<'_>, connection: &mut Connection) {
    if connection.send(get("/events")).is_ok() {
        expect_cut(client, connection);
    }
}

/// Sends a part of a body.
pub(super) fn stalled_upload(client: &mut Client<'_>, connection: &mut Connection) {
    let sent = connection.send(post("/read", "content-length: 1000\r\n") + "begun");
    if sent.is_ok() {
        // It may be answered: with 503 at the deadline.
        let _ = connection.answer(false);
    }
    client.tally.add(|tally| &tally.ended);
}

/// Asks for more than the kernel buffers, and reads nothing until the server is gone.
pub(super) fn never_reads(client: &mut Client<'_>, connection: &mut Connection) {
    if connection.send(get("/endless")).is_ok() {
        while crate::connection::Connection::open(client.address, None).is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
    client.tally.add(|tally| &tally.ended);
}

/// Stays on a connection that is no longer HTTP.
pub(super) fn upgraded(client: &mut Client<'_>, connection: &mut Connection) {
    let request =
        "GET /upgrade HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    if connection.send(request).is_ok() && connection.answer(false).is_ok() {
        while connection
            .send("word")
            .and_then(|()| connection.take(4))
            .is_ok()
        {
            client.pause(20);
        }
    }
    client.tally.add(|tally| &tally.ended);
}

/// Sends a body in chunks of one byte, as fast as the server takes them.
pub(super) fn tiny_chunks(client: &mut Client<'_>, connection: &mut Connection) {
    let chunks = "1\r\nx\r\n".repeat(5000);
    let mut sent = connection.send(post("/sink", "transfer-encoding: chunked\r\n"));
    while sent.is_ok() {
        sent = connection.send(&chunks);
    }
    client.tally.add(|tally| &tally.ended);
}

fn expect_cut(client: &Client<'_>, connection: &mut Connection) {
    // By an end of file or a reset: the last chunk must not come.
    match connection.answer(false) {
        Ok(answer) if answer.status == 200 => {
            client.check(false, || "an endless stream has come to an end".into());
        }
        _ => client.tally.add(|tally| &tally.ended),
    }
}
