//! What is wrong with the configuration is said at once, before anything is served.

use std::net::TcpListener;

use command_fds::{CommandFdExt, FdMapping};

use crate::client::Client;
use crate::process::Home;

/// Starts the program, which has to refuse, and returns what it says.
fn refused(home: &Home) -> String {
    let output = home.command().output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(!home.path.join("letters.db").exists());
    said
}

#[test]
fn all_problems_are_named_at_once() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let _guard = TcpListener::bind(&taken);
    let home = Home::new()
        .with("PORT", "http")
        .with("ADMIN", &taken)
        .with("TLS_CHAIN", "chain.pem")
        .with("LAME_DUCK", "soon")
        .with("DRAIN_TIMEOUT", "-1s")
        .with("CLEANUP_PERIOD", "0s")
        .settings(r#"{"signature": "x", "colour": "red"}"#);
    let said = refused(&home);
    for problem in [
        "PORT is `http`",
        &format!("ADMIN: cannot listen on {taken}"),
        "SETTINGS: `settings.json`: unknown field `colour`",
        "TLS_CHAIN is set, and TLS_KEY is not",
        "LAME_DUCK: `soon` is no time",
        "DRAIN_TIMEOUT: `-1s` is no time",
        "CLEANUP_PERIOD: a period cannot be zero",
    ] {
        assert!(said.contains(problem), "no `{problem}` in {said}");
    }
    assert_eq!(said.lines().count(), 8, "{said}");
}

#[test]
fn bad_certificates_are_named() {
    let home = Home::new()
        .with("TLS_CHAIN", "chain.pem")
        .with("TLS_KEY", "key.pem");
    home.write("chain.pem", include_str!("pems/old.pem"));
    home.write("key.pem", include_str!("pems/new.key"));
    let said = refused(&home);
    assert!(
        said.contains("`key.pem`: the private key is not that of"),
        "{said}"
    );
}

#[test]
fn a_database_that_cannot_be_opened_ends_the_program_and_says_so() {
    let home = Home::new().with("DATABASE", "no/such/folder/letters.db");
    let output = home.command().output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("`database` failed: `no/such/folder/letters.db`: "),
        "{said}"
    );
}

#[test]
fn a_socket_that_systemd_has_bound_is_served() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // PORT does not matter then.
    let home = Home::new().with("PORT", "http");
    let mut command = home.command();
    command.envs([("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "http")]);
    let mapping = FdMapping {
        parent_fd: socket.try_clone().unwrap().into(),
        child_fd: 3,
    };
    command.fd_mappings(vec![mapping]).unwrap();
    let program = home.start_by(&mut command);
    assert_eq!(program.http, address);
    let mut client = Client::new(address).unwrap();
    assert_eq!(client.post("ann@example.com", "hello").unwrap().status, 202);
    program.stop();
    // It was not the program's: who comes now waits for the next one.
    Client::new(address).unwrap();
}
