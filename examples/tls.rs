//! HTTPS, with certificates that are read again at each SIGHUP; no connection is cut by that.
//!
//! ```text
//! openssl req -x509 -nodes -newkey ed25519 -days 30 -subj /CN=localhost \
//!     -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE \
//!     -keyout key.pem -out chain.pem
//! cargo run --features http,tls --example tls -- 127.0.0.1:8443 chain.pem key.pem [clients.pem]
//! curl --cacert chain.pem https://localhost:8443/    # make others, and: pkill -HUP tls
//! ```
//!
//! If the new files are bad, the log says what is wrong with which, and the old ones stay. With a fourth argument,
//! clients have to show a certificate that one of the authorities in it has signed: with the same files,
//! `curl --cacert chain.pem --cert chain.pem --key key.pem`. Press Ctrl-C: a client that is in its handshake is served.

#[path = "support/help.rs"]
mod help;

use std::error::Error;

use axum::{Extension, Router, routing::get};
use futures_lite::StreamExt;
use neap::http::{self, RequestContext, Server};
use neap::net::{Certificates, ClientAuthorities, TlsConfig};
use neap::{Group, signal};

fn main() -> Result<(), Box<dyn Error>> {
    help::on_request(include_str!("tls.rs"));
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info")).init();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, chain, key, clients @ ..] = &*arguments else {
        return Err("usage: tls ADDRESS CHAIN.pem KEY.pem [CLIENTS.pem]".into());
    };
    let certificates = Certificates::from_files(chain, key)?;
    let mut tls = TlsConfig::new(&certificates);
    let clients = clients
        .first()
        .map(ClientAuthorities::from_file)
        .transpose()?;
    if let Some(clients) = &clients {
        tls = tls.require_client_certificate(clients);
    }
    let app = Router::new().route("/", get(greet));
    let server = Server::new(http::service(app), address.as_str()).tls(tls);

    smol::block_on(async {
        let mut group = Group::new().stop_on(signal::termination()?);
        let mut hangups = signal::reload()?;
        group.add("https", server.into_service());
        group.race("certificates", async move {
            while hangups.next().await.is_some() {
                let clients = clients.as_ref().map_or(Ok(()), ClientAuthorities::reload);
                match certificates.reload().and(clients) {
                    Ok(()) => log::info!("new certificates"),
                    Err(error) => log::error!("the old certificates stay: {error}"),
                }
            }
        });
        println!("{}", group.run().await?);
        Ok(())
    })
}

async fn greet(Extension(context): Extension<RequestContext>) -> String {
    match context.tls() {
        Some(tls) => {
            let (peer, shown) = (context.peer(), tls.client_certificates().len());
            format!("hello {peer}, by {}, {shown} certificates\n", tls.version())
        }
        None => format!("hello {}\n", context.peer()),
    }
}
