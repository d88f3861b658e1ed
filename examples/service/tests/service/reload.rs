//! SIGHUP: what is new is used, what is bad changes nothing, and no connection is cut.

use std::fs;

use rustix::process::Signal;

use crate::client::{Client, TlsClient};
use crate::process::{Home, until};

const OLD: &str = include_str!("pems/old.pem");
const NEW: &str = include_str!("pems/new.pem");

#[test]
fn settings() {
    let home = Home::new().settings(r#"{"signature": "the old one"}"#);
    let program = home.start();
    let mut client = Client::new(program.http).unwrap();
    let mut signature = |id: i64| {
        assert_eq!(client.post("ann@example.com", "hello").unwrap().status, 202);
        let path = home.path.join(format!("outbox/{id}.txt"));
        let text = until("letter", || fs::read_to_string(&path).ok());
        text.trim_end().lines().last().unwrap().to_owned()
    };
    assert_eq!(signature(1), "the old one");

    home.write("settings.json", r#"{"signature": "the new one"}"#);
    program.signal(Signal::HUP);
    program.logs("the settings are read again");
    assert_eq!(signature(2), "the new one");

    home.write("settings.json", r#"{"signature": 7}"#);
    program.signal(Signal::HUP);
    program.logs("the old settings stay: `settings.json`: invalid type: integer `7`");
    assert_eq!(signature(3), "the new one");
    program.stop();
}

#[test]
fn certificates() {
    let home = Home::new()
        .with("TLS_CHAIN", "chain.pem")
        .with("TLS_KEY", "key.pem");
    home.write("chain.pem", OLD);
    home.write("key.pem", include_str!("pems/old.key"));
    let program = home.start();
    let mut before = TlsClient::trusting(OLD, program.http);
    assert_eq!(before.get("/letters/1").unwrap().status, 404);
    TlsClient::trusting(NEW, program.http)
        .get("/letters/1")
        .unwrap_err();

    // The key is not there yet.
    home.write("chain.pem", NEW);
    program.signal(Signal::HUP);
    program.logs("the old certificates stay: `key.pem`");
    let mut client = TlsClient::trusting(OLD, program.http);
    assert_eq!(client.get("/letters/1").unwrap().status, 404);

    home.write("key.pem", include_str!("pems/new.key"));
    program.signal(Signal::HUP);
    program.logs("the certificates are read again");
    let mut after = TlsClient::trusting(NEW, program.http);
    assert_eq!(after.get("/letters/1").unwrap().status, 404);
    TlsClient::trusting(OLD, program.http)
        .get("/letters/1")
        .unwrap_err();
    assert_eq!(before.get("/letters/1").unwrap().status, 404);
    program.stop();
}
