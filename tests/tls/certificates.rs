//! Certificates: what is wrong with bad ones, and what a reload does.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use futures_rustls::rustls::ClientConfig;
use neap::http::{self, Server};
use neap::net::Certificates;

use crate::client::{ask, connect, trusting};
use crate::http_support::{eventually, run};
use crate::pems::{Folder, Pems};

/// Returns the words of the error that these bytes have as a chain and as a key.
fn error(chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> String {
    let error = Certificates::from_pem(chain.as_ref(), key.as_ref()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
    error.to_string()
}

#[test]
fn each_bad_pem_has_words_of_its_own() {
    let Pems { chain, key } = Pems::usual();
    let other = Pems::of("other");
    let text = String::from_utf8(chain.clone()).unwrap();
    let of_chain = |bytes: &str| error(bytes, key);
    let of_key = |bytes: &[u8]| error(chain, bytes);
    let no_certificate = "the certificate chain: no certificate in it, which begins with `-----BEGIN CERTIFICATE-----`";
    assert_eq!(of_chain(""), no_certificate);
    assert_eq!(error(key, key), no_certificate);
    assert_eq!(
        of_chain(text.trim_end().trim_end_matches('-')),
        "the certificate chain: it ends before `-----END CERTIFICATE-----`"
    );
    let bad = of_chain(&text.replacen("MII", "M!I", 1));
    assert!(
        bad.starts_with("the certificate chain: a section is not base64: "),
        "{bad}"
    );
    let cut = of_chain("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    assert!(
        cut.starts_with("the certificate chain: the first certificate is malformed: "),
        "{cut}"
    );
    assert_eq!(
        of_key(b""),
        "the private key: no private key in it, which begins with `-----BEGIN PRIVATE KEY-----`"
    );
    assert_eq!(of_key(chain), of_key(b""));
    let encrypted =
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert_eq!(
        of_key(encrypted),
        "the private key: the private key is encrypted, and there is nobody to ask for its password"
    );
    let nonsense = of_key(b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n");
    assert!(
        nonsense.starts_with("the private key: the private key cannot be used: "),
        "{nonsense}"
    );
    assert_eq!(
        of_key(&other.key),
        "the private key: the private key is not that of the first certificate of the certificate chain"
    );
}

#[test]
fn the_error_names_the_file() {
    let folder = Folder::new();
    let Pems { chain, key } = Pems::usual();
    let chain = folder.write("chain.pem", chain);
    let key = folder.write("key.pem", key);
    let absent = folder.file("absent.pem");
    let error = |chain: &Path, key: &Path| Certificates::from_files(chain, key).unwrap_err();
    let none = error(&absent, &key);
    assert_eq!(none.kind(), ErrorKind::NotFound);
    assert!(
        none.to_string()
            .starts_with(&format!("`{}`: ", absent.display())),
        "{none}"
    );
    assert_eq!(error(&chain, &absent).kind(), ErrorKind::NotFound);
    let swapped = error(&key, &chain).to_string();
    assert!(
        swapped.starts_with(&format!("`{}`: no certificate", key.display())),
        "{swapped}"
    );
    let other = folder.write("other.pem", Pems::of("other").key);
    assert_eq!(
        error(&chain, &other).to_string(),
        format!(
            "`{}`: the private key is not that of the first certificate of `{}`",
            other.display(),
            chain.display()
        )
    );
}

#[test]
fn keys_of_all_usual_kinds_are_taken_and_both_may_be_in_one_file() {
    for name in ["rsa", "ec", "usual"] {
        let Pems { chain, key } = Pems::of(name);
        let both = [&*key, &*chain].concat();
        Certificates::from_pem(&both, &both).unwrap();
    }
}

/// Returns a server with these certificates, and asks it once. Returns the first certificate that it shows.
fn shown(addr: std::net::SocketAddr, config: &Arc<ClientConfig>) -> Vec<u8> {
    let mut client = connect(addr, config).unwrap();
    let answer = ask(&mut client).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    client.conn.peer_certificates().unwrap()[0].to_vec()
}

fn server(certificates: &Certificates) -> Server<impl http::App + use<>> {
    let app = axum::Router::new().route("/hello", axum::routing::get("hello"));
    Server::new(http::service(app), "127.0.0.1:0").tls(certificates)
}

#[test]
fn a_reload_is_shown_to_the_next_client_and_a_bad_one_changes_nothing() {
    let folder = Folder::new();
    let [old, new] = ["old", "new"].map(Pems::of);
    let chain = folder.write("chain.pem", &old.chain);
    let key = folder.write("key.pem", &old.key);
    let certificates = Certificates::from_files(&chain, &key).unwrap();
    let running = run(server(&certificates));
    let config = Arc::new(trusting(&[&old.chain, &new.chain]));
    let first = shown(running.addr, &config);
    // Of another time, with its own key: it is kept until it is whole.
    fs::write(&chain, &new.chain).unwrap();
    assert!(certificates.reload().is_err());
    assert_eq!(shown(running.addr, &config), first);
    fs::write(&key, &new.key).unwrap();
    assert_eq!(shown(running.addr, &config), first);
    // One that is open goes on.
    let mut open = connect(running.addr, &config).unwrap();
    std::io::Write::write_all(&mut open, b"GET /hello HTTP/1.1\r\nhost: a\r\n").unwrap();
    certificates.reload().unwrap();
    let second = shown(running.addr, &config);
    assert_ne!(second, first);
    std::io::Write::write_all(&mut open, b"connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut open, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "));
    // Clones are the same certificates.
    certificates.clone().replace(&old.chain, &old.key).unwrap();
    assert_eq!(shown(running.addr, &config), first);
    assert!(certificates.replace(&old.chain, &new.key).is_err());
    assert_eq!(shown(running.addr, &config), first);
    running.stop().result.unwrap();
}

#[test]
fn what_has_come_as_bytes_has_nothing_to_reload() {
    let Pems { chain, key } = Pems::usual();
    let error = Certificates::from_pem(chain, key)
        .unwrap()
        .reload()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn reloads_under_load_lose_nothing() {
    const RELOADS: usize = 200;
    let folder = Folder::new();
    let pems = ["one", "two"].map(Pems::of);
    let chain = folder.write("chain.pem", &pems[0].chain);
    let key = folder.write("key.pem", &pems[0].key);
    let certificates = Certificates::from_files(&chain, &key).unwrap();
    let running = run(server(&certificates));
    let config = Arc::new(trusting(&[&pems[0].chain, &pems[1].chain]));
    let (is_over, answered, seen) = (
        AtomicBool::new(false),
        AtomicUsize::new(0),
        [0; 2].map(AtomicUsize::new),
    );
    let [one, _] = pems.each_ref().map(|pems| first_der(&pems.chain));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let shown = shown(running.addr, &config);
                    seen[usize::from(shown != one)].fetch_add(1, Ordering::Relaxed);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for reload in 0..RELOADS {
            let next = &pems[(reload + 1) % 2];
            fs::write(&chain, &next.chain).unwrap();
            assert!(certificates.reload().is_err());
            fs::write(&key, &next.key).unwrap();
            certificates.reload().unwrap();
            let before = answered.load(Ordering::Relaxed);
            eventually("an answer", || answered.load(Ordering::Relaxed) > before);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let seen = seen.map(AtomicUsize::into_inner);
    assert!(seen.iter().all(|seen| *seen > 0), "{seen:?}");
    let ended = running.stop();
    assert!(ended.report.is_clean(), "{ended:?}");
}

fn first_der(chain: &[u8]) -> Vec<u8> {
    use futures_rustls::rustls::pki_types::CertificateDer;
    use futures_rustls::rustls::pki_types::pem::PemObject;
    CertificateDer::from_pem_slice(chain).unwrap().to_vec()
}
