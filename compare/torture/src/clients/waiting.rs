//! Clients that the server has to wait for, or that wait for it.

use super::{Client, Connection, get};
use crate::connection::Missing;

/// Reads a stream that ends at the stop.
pub(super) fn until_stop(client: &mut Client<'_>, connection: &mut Connection) {
    if let Some(answer) = client.request(connection, get("/until-stop"), 200) {
        let chunked = answer.field("transfer-encoding") == Some("chunked");
        client.check(chunked, || answer.head.clone());
    }
}

/// Changes to another protocol, and speaks it for a while.
pub(super) fn upgrade(client: &mut Client<'_>, connection: &mut Connection) {
    let request =
        "GET /upgrade HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n";
    if client.request(connection, request, 101).is_none() {
        return;
    }
    for _ in 0..client.rng.usize(1..20) {
        let began = client.sending(connection);
        match connection.send("word").and_then(|()| connection.take(4)) {
            Ok(word) => client.check(word == b"word", || format!("{word:?}")),
            Err(missing) => return client.count_missing(missing, began),
        }
        client.pause(5);
    }
}

/// Connects and says nothing. The server closes when it stops.
pub(super) fn silent(client: &mut Client<'_>, connection: &mut Connection) {
    client.expect_end(connection);
}

/// Sends a head that does not end. It is answered with 408 when the server stops.
pub(super) fn half_head(client: &mut Client<'_>, connection: &mut Connection) {
    let began = client.sending(connection);
    if let Err(missing) = connection.send("GET /hello HTTP/1.1\r\nho") {
        return client.count_missing(missing, began);
    }
    match connection.answer(false) {
        Ok(answer) => {
            client.check(answer.status == 408 && answer.closes(), || {
                format!("{answer:?}")
            });
            client.expect_end(connection);
        }
        // It was connected before the stop, and sent its bytes after the grace.
        Err(Missing::Closed) if client.is_late(began) => client.tally.add(|tally| &tally.late),
        Err(missing) => client.tally.fault(
            |tally| &tally.reset,
            || format!("{missing:?} after half a head"),
        ),
    }
}

/// Closes its side behind the request. It may go without an answer, but not with a part of one.
pub(super) fn half_closed(client: &mut Client<'_>, connection: &mut Connection) {
    let length = client.rng.usize(0..100_000);
    let began = client.sending(connection);
    if let Err(missing) = connection.send(get(&format!("/bytes/{length}"))) {
        return client.count_missing(missing, began);
    }
    connection.finish();
    match connection.answer(false) {
        Ok(answer) => {
            client.check(answer.body.len() == length, || answer.head.clone());
            client.tally.add(|tally| &tally.answered);
        }
        Err(Missing::Closed) => client.tally.add(|tally| &tally.ended),
        Err(missing) if client.is_late(began) && missing == Missing::Reset => {
            client.tally.add(|tally| &tally.late);
        }
        Err(missing) => client
            .tally
            .fault(|tally| &tally.reset, || format!("{missing:?}")),
    }
}
