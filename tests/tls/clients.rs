//! Real clients: `curl` and `openssl s_client`.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use neap::http::Server;
use neap::net::{Certificates, ClientAuthorities, TlsConfig};

use crate::http_support::{Running, axum_app, eventually, run};
use crate::pems::{Folder, Pems};
use crate::support;

const LAST: &[u8] = b"GET /hello HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

/// Runs a server with the usual app, and its certificate in a file; `None` without the client's program.
fn serve(program: &str) -> Option<(Running, Folder)> {
    serve_with(program, |tls| tls)
}

/// Does that with these settings.
fn serve_with(
    program: &str,
    set: impl FnOnce(TlsConfig) -> TlsConfig,
) -> Option<(Running, Folder)> {
    // Each knows one of these, and neither waits for anything.
    let flag = match program {
        "openssl" => "version",
        _ => "--version",
    };
    if !support::has(program, flag) {
        return None;
    }
    let Pems { chain, key } = Pems::usual();
    let tls = TlsConfig::new(&Certificates::from_pem(chain, key).unwrap());
    let server = Server::new(axum_app::app(), "127.0.0.1:0").tls(set(tls));
    let folder = Folder::new();
    folder.write("chain.pem", chain);
    Some((run(server), folder))
}

/// Runs `curl`. It takes no certificate but that of the server.
fn curl(folder: &Folder, flags: &[&str]) -> Output {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "60", "--cacert"]);
    command.arg(folder.file("chain.pem")).args(flags);
    let output = command
        .output()
        .expect("these tests need the program `curl`");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {flags:?}: {errors}");
    output
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn curl_is_served_in_every_version_and_keeps_its_connection() {
    let Some((running, folder)) = serve("curl") else {
        return;
    };
    let url = format!("https://localhost:{}/hello", running.addr.port());
    let said = "%{num_connects} %{http_version} %{ssl_verify_result}\n";
    for version in [&["--tlsv1.2", "--tls-max", "1.2"][..], &["--tlsv1.3"]] {
        let twice = [version, &["--write-out", said, &url, &url]].concat();
        assert_eq!(
            text(&curl(&folder, &twice)),
            "Hello World!1 1.1 0\nHello World!0 1.1 0\n"
        );
    }
    // It offers HTTP/2 by itself, too.
    assert_eq!(text(&curl(&folder, &["--http2", &url])), "Hello World!");
    assert_eq!(text(&curl(&folder, &["--http1.0", &url])), "Hello World!");
    running.stop().result.unwrap();
}

#[test]
fn curl_sends_and_is_sent_what_is_large() {
    let Some((running, folder)) = serve("curl") else {
        return;
    };
    let port = running.addr.port();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| (at / 7) as u8).collect();
    let upload = folder.write("upload", &bytes);
    let data = format!("@{}", upload.display());
    let echo = format!("https://localhost:{port}/echo");
    for fields in [
        &["-H", "expect: 100-continue"][..],
        &["-H", "transfer-encoding: chunked"],
    ] {
        let flags = [&["--data-binary", &data][..], fields, &[&echo]].concat();
        assert!(curl(&folder, &flags).stdout == bytes, "{fields:?}");
    }
    let large = format!("https://localhost:{port}/bytes/8000000");
    assert_eq!(curl(&folder, &[&large]).stdout.len(), 8_000_000);
    running.stop().result.unwrap();
}

/// Begins `openssl s_client`, which goes on until the server closes.
fn s_client(running: &Running, folder: &Folder, flags: &[&str]) -> Child {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &running.addr.to_string()]);
    command.args([
        "-servername",
        "localhost",
        "-verify_return_error",
        "-ign_eof",
        "-CAfile",
    ]);
    command.arg(folder.file("chain.pem")).args(flags);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
        .spawn()
        .expect("these tests need the program `openssl`")
}

fn end(client: Child) -> (bool, String) {
    let output = client.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    (
        output.status.success(),
        format!("{}{errors}", text(&output)),
    )
}

#[test]
fn openssl_agrees_on_the_protocol_and_is_told_of_the_end() {
    let Some((running, folder)) = serve("openssl") else {
        return;
    };
    let flags = ["-alpn", "h2,http/1.1", "-msg"];
    let mut client = s_client(&running, &folder, &flags);
    client.stdin.as_mut().unwrap().write_all(LAST).unwrap();
    let (is_well, text) = end(client);
    assert!(is_well, "{text}");
    for part in [
        "ALPN protocol: http/1.1",
        "Verify return code: 0 (ok)",
        "Hello World!",
        "warning close_notify",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    // One that is refused is told why.
    let (is_well, text) = end(s_client(&running, &folder, &["-alpn", "h2"]));
    assert!(
        !is_well && text.contains("alert no application protocol"),
        "{text}"
    );
    let (is_well, text) = end(s_client(&running, &folder, &["-tls1_1"]));
    assert!(!is_well, "{text}");
    running.stop().result.unwrap();
}

#[test]
fn openssl_is_told_of_the_end_of_what_is_no_request() {
    let Some((running, folder)) = serve("openssl") else {
        return;
    };
    let mut client = s_client(&running, &folder, &["-msg"]);
    client
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"GET /\r\n\r\n")
        .unwrap();
    let (is_well, text) = end(client);
    assert!(
        is_well && text.contains("HTTP/1.1 400 ") && text.contains("warning close_notify"),
        "{text}"
    );
    running.stop().result.unwrap();
}

#[test]
fn openssl_resumes_a_session() {
    let Some((running, folder)) = serve("openssl") else {
        return;
    };
    let session = folder.file("session");
    for (flag, words) in [
        ("-sess_out", "New, TLSv1.3"),
        ("-sess_in", "Reused, TLSv1.3"),
    ] {
        let mut client = s_client(
            &running,
            &folder,
            &[flag, session.to_str().unwrap(), "-tls1_3"],
        );
        client.stdin.as_mut().unwrap().write_all(LAST).unwrap();
        let (is_well, text) = end(client);
        assert!(is_well && text.contains(words), "no {words} in {text}");
    }
    running.stop().result.unwrap();
}

#[test]
fn openssl_changes_the_keys_of_both_sides() {
    let Some((running, folder)) = serve("openssl") else {
        return;
    };
    let mut client = s_client(&running, &folder, &["-tls1_3", "-no_ign_eof", "-msg"]);
    // A command of the program, if it comes alone.
    client.stdin.as_mut().unwrap().write_all(b"K\n").unwrap();
    let mut output = BufReader::new(client.stdout.take().unwrap());
    let mut line = String::new();
    while !(line.starts_with(">>> TLS 1.3") && line.contains("KeyUpdate")) {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "no change of keys");
    }
    client.stdin.as_mut().unwrap().write_all(LAST).unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    // The server changes its own before its next bytes (RFC 8446, 4.6.3).
    let (before, answer) = rest.split_once("HTTP/1.1 200 ").expect(&rest);
    assert!(before.contains("KeyUpdate"), "{rest}");
    assert!(
        answer.contains("Hello World!") && answer.contains("close_notify"),
        "{rest}"
    );
    client.wait().unwrap();
    running.stop().result.unwrap();
}

#[test]
fn openssl_is_told_that_nothing_is_agreed_on_anew() {
    let Some((running, folder)) = serve("openssl") else {
        return;
    };
    let mut client = s_client(&running, &folder, &["-tls1_2", "-no_ign_eof"]);
    // A command of the program, if it comes alone.
    client.stdin.as_mut().unwrap().write_all(b"R\n").unwrap();
    let (is_well, said) = end(client);
    assert!(!is_well && said.contains("no renegotiation"), "{said}");
    let mut next = s_client(&running, &folder, &[]);
    next.stdin.as_mut().unwrap().write_all(LAST).unwrap();
    let (is_well, said) = end(next);
    assert!(is_well && said.contains("Hello World!"), "{said}");
    running.stop().result.unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn openssl_is_served_if_it_is_connected_at_the_stop() {
    if !support::has("openssl", "version") {
        return;
    }
    let Pems { chain, key } = Pems::usual();
    let certificates = Certificates::from_pem(chain, key).unwrap();
    let server = Server::new(axum_app::app(), "127.0.0.1:0").tls(certificates);
    let (running, folder) = (
        run(server.new_conn_grace(Duration::from_secs(20))),
        Folder::new(),
    );
    folder.write("chain.pem", chain);
    let mut clients: Vec<_> = (0..4).map(|_| s_client(&running, &folder, &[])).collect();
    // Some may be in their handshake. All have connected once the server counts them.
    let port = format!(":{:04X} ", running.addr.port());
    eventually("the connections", || {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let established = table.lines().filter(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            format!("{} ", fields[1]).ends_with(&port) && fields[3] == "01"
        });
        established.count() == 4
    });
    running.handle.stop();
    eventually("the close", || running.refuses());
    for client in &mut clients {
        let request = b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n";
        client.stdin.as_mut().unwrap().write_all(request).unwrap();
    }
    let ends: Vec<_> = thread::scope(|scope| {
        let ends = clients
            .into_iter()
            .map(|client| scope.spawn(|| end(client)));
        let ends: Vec<_> = ends.collect();
        ends.into_iter().map(|end| end.join().unwrap()).collect()
    });
    for (is_well, text) in ends {
        assert!(is_well && text.contains("Hello World!"), "{text}");
        assert!(text.to_lowercase().contains("connection: close"), "{text}");
    }
    let ended = running.wait();
    assert!(ended.report.is_clean(), "{ended:?}");
}

/// Runs a server that wants certificates of clients. Returns two flags of its client with files of one, and of a
/// stranger.
fn serve_known(program: &str, flags: [&str; 2]) -> Option<(Running, Folder, [Vec<String>; 2])> {
    let authorities = Pems::file("authority.pem");
    let authorities = ClientAuthorities::from_pem(&authorities).unwrap();
    let (running, folder) =
        serve_with(program, |tls| tls.require_client_certificate(&authorities))?;
    let flags = ["client", "other"].map(|name| {
        let Pems { chain, key } = Pems::of(name);
        let files = [("pem", chain), ("key", key)];
        let files = files.map(|(kind, bytes)| folder.write(&format!("{name}.{kind}"), bytes));
        let flags = flags.iter().zip(files);
        let flags = flags.flat_map(|(flag, file)| [flag.to_string(), file.display().to_string()]);
        flags.collect()
    });
    Some((running, folder, flags))
}

#[test]
fn curl_shows_its_certificate() {
    let Some((running, folder, [known, stranger])) = serve_known("curl", ["--cert", "--key"])
    else {
        return;
    };
    let url = format!("https://localhost:{}/hello", running.addr.port());
    let curl = |own: &[String], version: &str| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--max-time", "60", "--cacert"]);
        command
            .arg(folder.file("chain.pem"))
            .args(own)
            .args(["--tls-max", version]);
        command.arg(&url).output().unwrap()
    };
    for version in ["1.2", "1.3"] {
        assert_eq!(text(&curl(&known, version)), "Hello World!");
        for own in [&stranger[..], &[]] {
            let refused = curl(own, version);
            assert!(!refused.status.success() && text(&refused).is_empty());
        }
    }
    running.stop().result.unwrap();
}

#[test]
fn openssl_shows_its_certificate_or_is_told_why_it_is_refused() {
    let Some((running, folder, [known, stranger])) = serve_known("openssl", ["-cert", "-key"])
    else {
        return;
    };
    let chain = folder.file("client.pem").display().to_string();
    let known = [&known[..], &["-cert_chain".to_owned(), chain]].concat();
    let ask = |own: &[String]| {
        let own: Vec<_> = own.iter().map(String::as_str).collect();
        let mut client = s_client(&running, &folder, &own);
        // One that is refused may be gone.
        let _ = client.stdin.as_mut().unwrap().write_all(LAST);
        end(client)
    };
    let (is_well, said) = ask(&known);
    assert!(is_well && said.contains("Hello World!"), "{said}");
    // It is told which authorities there are.
    assert!(said.contains("CN = authority"), "{said}");
    for (own, alert) in [
        (&stranger[..], "alert unknown ca"),
        (&[], "alert certificate required"),
    ] {
        let (is_well, said) = ask(own);
        assert!(!is_well && said.contains(alert), "{said}");
    }
    running.stop().result.unwrap();
}
