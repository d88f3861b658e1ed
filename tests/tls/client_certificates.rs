//! Certificates of clients: who is let in, what a handler sees of them, and what a reload does.

use std::io;
use std::sync::Arc;

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use futures_rustls::rustls::pki_types::pem::PemObject;
use futures_rustls::rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::{ALL_VERSIONS, ClientConfig, HandshakeKind, version};
use neap::http::{self, RequestContext, Server};
use neap::net::{self, Certificates, ClientAuthorities, Stream, TlsConfig, TlsInfo};
use neap::test::{Clock, Network};
use neap::{Group, StopToken};

use crate::client::{showing, trusting_in};
use crate::limit::limited;
use crate::pems::{Folder, Pems};

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

type Client = TlsStream<Stream>;

/// Which server is tried.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Net,
    Axum,
    #[cfg(feature = "tide")]
    Tide,
}

const ALL: &[Kind] = &[
    Kind::Net,
    Kind::Axum,
    #[cfg(feature = "tide")]
    Kind::Tide,
];

/// Runs a story beside a server that says which certificates its client has shown.
fn beside(kind: Kind, tls: &TlsConfig, story: impl AsyncFn(&Network)) {
    let (network, clock) = (Network::new(), Clock::new());
    let mut group = Group::new().clock(&clock);
    let address = network.listen(80);
    let tls = tls.clone();
    match kind {
        Kind::Net => group.add(
            "net",
            net::Server::new(address, answer).tls(tls).into_service(),
        ),
        Kind::Axum => {
            use axum::{Extension, Router, routing::get};
            let app = Router::new().route(
                "/",
                get(async |Extension(context): Extension<RequestContext>| shown(context.tls())),
            );
            let server = Server::new(http::service(app), address);
            group.add("http", server.tls(tls).into_service())
        }
        #[cfg(feature = "tide")]
        Kind::Tide => {
            let mut app = tide::new();
            app.at("/").get(async |request: tide::Request<()>| {
                let context: &RequestContext = request.ext().unwrap();
                Ok(shown(context.tls()))
            });
            group.add("http", Server::new(app, address).tls(tls).into_service())
        }
    };
    let handle = group.handle();
    let story = async {
        story(&network).await;
        handle.stop();
    };
    let both = limited(&clock, future::zip(group.run(), story));
    clock.block_on(both).0.unwrap();
    assert_eq!(network.open_ends(), 0);
}

async fn answer(mut stream: Stream, _: StopToken) -> io::Result<()> {
    stream.read_exact(&mut [0; GET.len()]).await?;
    let shown = shown(stream.tls());
    stream.write_all(shown.as_bytes()).await
}

fn shown(tls: Option<&TlsInfo>) -> String {
    in_words(tls.unwrap().client_certificates())
}

fn in_words(chain: &[Vec<u8>]) -> String {
    format!("shown: {chain:?}")
}

/// Returns the words for the certificates of a file.
fn of_file(name: &str) -> String {
    let chain = Pems::of(name).chain;
    let chain = CertificateDer::pem_slice_iter(&chain).map(|der| der.unwrap().to_vec());
    in_words(&chain.collect::<Vec<_>>())
}

fn authority(name: &str) -> Vec<u8> {
    Pems::file(&format!("{name}.pem"))
}

fn authorities() -> ClientAuthorities {
    ClientAuthorities::from_pem(&authority("authority")).unwrap()
}

fn tls() -> TlsConfig {
    let Pems { chain, key } = Pems::usual();
    TlsConfig::new(&Certificates::from_pem(chain, key).unwrap())
}

/// Returns the configuration of a client that shows this certificate, or none.
fn client(name: Option<&str>) -> Arc<ClientConfig> {
    let roots = [&*Pems::usual().chain];
    Arc::new(match name {
        Some(name) => showing(ALL_VERSIONS, &roots, &Pems::of(name)),
        None => trusting_in(ALL_VERSIONS, &roots),
    })
}

async fn connect(network: &Network, config: &Arc<ClientConfig>) -> io::Result<Client> {
    let stream = network.connect(80).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::clone(config))
        .connect(name, stream)
        .await
}

/// Asks, and returns all that comes.
async fn ask(client: &mut Client) -> io::Result<String> {
    client.write_all(GET).await?;
    client.flush().await?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Connects and asks. The client's own part of the handshake is over before it is judged, in TLS 1.3.
async fn try_once(network: &Network, config: &Arc<ClientConfig>) -> io::Result<String> {
    ask(&mut connect(network, config).await?).await
}

/// Fails unless a client is told by this alert that it is refused.
async fn assert_refused(network: &Network, config: &Arc<ClientConfig>, alert: &str) {
    let refused = try_once(network, config).await.unwrap_err().to_string();
    assert!(refused.contains(alert), "{refused}");
}

#[test]
fn a_handler_sees_what_the_client_has_shown() {
    for kind in ALL {
        for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
            for tls in [
                tls().require_client_certificate(&authorities()),
                tls().request_client_certificate(&authorities()),
            ] {
                beside(*kind, &tls, async |network| {
                    // A chain of two, and its authority is not sent.
                    let config = showing(versions, &[&Pems::usual().chain], &Pems::of("client"));
                    let answer = try_once(network, &Arc::new(config)).await.unwrap();
                    assert!(answer.ends_with(&of_file("client")), "{answer}");
                });
            }
        }
    }
}

#[test]
fn who_shows_none_that_is_good_is_refused_where_one_is_required() {
    for kind in ALL {
        let tls = tls().require_client_certificate(&authorities());
        beside(*kind, &tls, async |network| {
            assert_refused(network, &client(None), "CertificateRequired").await;
            assert_refused(network, &client(Some("other")), "UnknownCA").await;
            assert_refused(network, &client(Some("client-two")), "UnknownCA").await;
            assert_refused(network, &client(Some("late")), "CertificateExpired").await;
            // The others are served.
            try_once(network, &client(Some("client"))).await.unwrap();
        });
    }
}

#[test]
fn who_shows_none_is_served_where_one_is_requested_and_who_shows_a_bad_one_is_not() {
    for kind in ALL {
        let tls = tls().require_client_certificate(&authorities());
        // The last word counts.
        let tls = tls.request_client_certificate(&authorities());
        beside(*kind, &tls, async |network| {
            let answer = try_once(network, &client(None)).await.unwrap();
            assert!(answer.ends_with("shown: []"), "{answer}");
            assert_refused(network, &client(Some("other")), "UnknownCA").await;
            assert_refused(network, &client(Some("late")), "CertificateExpired").await;
        });
    }
}

#[test]
fn who_is_not_asked_shows_none() {
    for kind in ALL {
        beside(*kind, &tls(), async |network| {
            let answer = try_once(network, &client(Some("client"))).await.unwrap();
            assert!(answer.ends_with("shown: []"), "{answer}");
        });
    }
}

#[test]
fn a_client_can_be_known_by_its_own_certificate_alone() {
    let own = ClientAuthorities::from_pem(&Pems::of("other").chain).unwrap();
    beside(
        Kind::Net,
        &tls().require_client_certificate(&own),
        async |network| {
            let answer = try_once(network, &client(Some("other"))).await.unwrap();
            assert_eq!(answer, of_file("other"));
            assert_refused(network, &client(Some("usual")), "UnknownCA").await;
        },
    );
}

#[test]
fn each_handshake_shows_the_certificate_again() {
    for versions in [&[&version::TLS12][..], &[&version::TLS13]] {
        let authorities = authorities();
        let tls = tls().require_client_certificate(&authorities);
        beside(Kind::Axum, &tls, async |network| {
            // It would resume a session if it were given one.
            let config = showing(versions, &[&Pems::usual().chain], &Pems::of("client"));
            let config = Arc::new(config);
            for _ in 0..2 {
                let mut client = connect(network, &config).await.unwrap();
                ask(&mut client).await.unwrap();
                let kind = client.get_ref().1.handshake_kind();
                assert_eq!(kind, Some(HandshakeKind::Full));
            }
            authorities.replace(&authority("authority-two")).unwrap();
            assert_refused(network, &config, "UnknownCA").await;
        });
    }
}

#[test]
fn a_reload_is_for_those_who_come_later_and_a_bad_one_changes_nothing() {
    let folder = Folder::new();
    let path = folder.write("clients.pem", authority("authority"));
    let authorities = ClientAuthorities::from_file(&path).unwrap();
    let tls = tls().require_client_certificate(&authorities);
    let [one, two] = ["client", "client-two"].map(|name| client(Some(name)));
    for kind in ALL {
        beside(*kind, &tls, async |network| {
            folder.write("clients.pem", authority("authority"));
            authorities.reload().unwrap();
            let mut open = connect(network, &one).await.unwrap();
            open.write_all(&GET[..5]).await.unwrap();
            open.flush().await.unwrap();
            assert_refused(network, &two, "UnknownCA").await;
            folder.write("clients.pem", "-----BEGIN CERTIFICATE-----\n");
            let error = authorities.reload().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("`{}`: ", path.display())),
                "{error}"
            );
            assert_refused(network, &two, "UnknownCA").await;
            folder.write("clients.pem", authority("authority-two"));
            authorities.reload().unwrap();
            try_once(network, &two).await.unwrap();
            assert_refused(network, &one, "UnknownCA").await;
            // Whoever is there goes on.
            open.write_all(&GET[5..]).await.unwrap();
            open.flush().await.unwrap();
            let mut answer = String::new();
            open.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with(&of_file("client")), "{answer}");
            // Both at once.
            let both = [authority("authority"), authority("authority-two")];
            folder.write("clients.pem", both.concat());
            authorities.reload().unwrap();
            try_once(network, &one).await.unwrap();
            try_once(network, &two).await.unwrap();
        });
    }
}

#[test]
fn each_bad_pem_has_words_of_its_own() {
    let error = |bytes: &[u8]| {
        let error = ClientAuthorities::from_pem(bytes).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        error.to_string()
    };
    let none = "the authorities of clients: no certificate in it, which begins with `-----BEGIN CERTIFICATE-----`";
    assert_eq!(error(b""), none);
    assert_eq!(error(&Pems::of("client").key), none);
    let good = authority("authority");
    assert_eq!(
        error(&good[..good.len() - 10]),
        "the authorities of clients: it ends before `-----END CERTIFICATE-----`"
    );
    let nonsense = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    let second = error(&[&good, &nonsense[..]].concat());
    assert!(
        second.starts_with("the authorities of clients: certificate 2 is malformed: "),
        "{second}"
    );
    let replaced = authorities().replace(b"").unwrap_err();
    assert_eq!(replaced.to_string(), none);
    let error = authorities().reload().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
}
