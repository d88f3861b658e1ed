//! Ten thousand idle connections, and a stop.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::child::Server;
use crate::connection::Connection;
use crate::settings::Settings;
use crate::{Failure, PATIENCE};

/// Opens the connections, has each ask once, all ask at once, and stops the server. Returns what is
/// wrong.
pub(crate) fn run(settings: &Settings) -> Result<Vec<String>, Failure> {
    let mut wrong = Vec::new();
    for name in settings.servers(&["in-place", "smol"]) {
        let server = Server::start(&name, &[])?;
        let rest = server.resident()?;
        let mut clients = Vec::new();
        for _ in 0..settings.connections {
            clients.push(Connection::open(server.address, None)?);
        }
        // Those that were accepted last may still wait in the kernel's queue.
        let held = |server: &Server| {
            Ok::<_, Failure>(server.resident()?.saturating_sub(rest) / clients_of(settings))
        };
        ask(&mut clients[..1])?;
        let silent = held(&server)?;
        ask_one_by_one(&mut clients)?;
        std::thread::sleep(Duration::from_millis(300));
        let asked = held(&server)?;
        ask(&mut clients)?;
        std::thread::sleep(Duration::from_millis(300));
        let at_once = held(&server)?;
        let before = server.cpu_time()?;
        std::thread::sleep(Duration::from_secs(1));
        let spent = server.cpu_time()? - before;
        let began = Instant::now();
        server.signal(Signal::TERM);
        let mut reset = 0;
        for client in &mut clients {
            reset += usize::from(client.drain().is_err());
        }
        drop(clients);
        let ended = server.wait_since(began, PATIENCE)?;
        println!(
            "{name}: {silent} bytes a connection that is silent, {asked} that has asked, {at_once} after \
             all have asked at once; {spent:.1?} of CPU in a second of rest; exit after {:.1?}, {reset} reset",
            ended.took
        );
        let checks = [
            (reset > 0, format!("{reset} idle connections were reset")),
            (!ended.is_clean(), format!("not clean: {}", ended.stdout)),
            (
                ended.took > Duration::from_secs(8),
                format!("the exit took {:?}", ended.took),
            ),
            (
                spent > Duration::from_millis(300),
                format!("{spent:?} of CPU at rest"),
            ),
            (
                at_once > 12_000,
                format!("{at_once} bytes for an idle connection"),
            ),
        ];
        wrong.extend(
            checks
                .into_iter()
                .filter(|(is_wrong, _)| *is_wrong)
                .map(|(_, what)| format!("{name}: {what}")),
        );
    }
    Ok(wrong)
}

fn clients_of(settings: &Settings) -> u64 {
    settings.connections.max(1) as u64
}

/// Sends a request on each connection, and then receives all answers.
fn ask(clients: &mut [Connection]) -> Result<(), Failure> {
    for client in clients.iter_mut() {
        send(client)?;
    }
    for client in clients.iter_mut() {
        receive(client)?;
    }
    Ok(())
}

fn ask_one_by_one(clients: &mut [Connection]) -> Result<(), Failure> {
    for client in clients {
        send(client)?;
        receive(client)?;
    }
    Ok(())
}

fn send(client: &mut Connection) -> Result<(), Failure> {
    let sent = client.send("GET /hello HTTP/1.1\r\nhost: a\r\n\r\n");
    sent.map_err(|missing| format!("an idle connection cannot send: {missing:?}").into())
}

fn receive(client: &mut Connection) -> Result<(), Failure> {
    match client.answer(false) {
        Ok(answer) if answer.status == 200 => Ok(()),
        other => Err(format!("an idle connection is answered {other:?}").into()),
    }
}
