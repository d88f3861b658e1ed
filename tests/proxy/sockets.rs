//! On sockets of the kernel: IPv6, IPv4 in IPv6, Unix.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use neap::Group;
use neap::net::{Address, Endpoint, ProxyProtocol};

use crate::{GET, V1, V2, proxies, who};

const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a server while a client, which is told where, does this.
fn beside<T>(
    address: impl Into<Address>,
    proxies: &ProxyProtocol,
    client: impl FnOnce(&Endpoint) -> T,
) -> T {
    let server = who(address.into()).proxy_protocol(proxies).bind().unwrap();
    let endpoint = server.local_addrs()[0].clone();
    let mut group = Group::new();
    group.add("who", server.into_service());
    let handle = group.handle();
    let thread = thread::spawn(move || futures_lite::future::block_on(group.run()));
    let result = client(&endpoint);
    handle.stop();
    thread.join().unwrap().unwrap();
    result
}

fn ask(addr: SocketAddr, bytes: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(bytes)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn proxies_are_known_by_ipv4_ipv6_and_ipv4_in_ipv6() {
    for (listen, from, peers) in [
        (
            "127.0.0.1:0",
            "127.0.0.1",
            ["127.0.0.0/8", "127.0.0.1", "::ffff:127.0.0.0/104"],
        ),
        ("[::1]:0", "::1", ["::1", "::/0", "::1/128"]),
        // A socket on `[::]` has the peers of IPv4 as `::ffff:127.0.0.1`.
        (
            "[::]:0",
            "127.0.0.1",
            ["127.0.0.0/8", "127.0.0.1", "::ffff:127.0.0.1"],
        ),
    ] {
        for peer in peers {
            let named = proxies(peer);
            let result = beside(listen, &named, |endpoint| {
                let addr = SocketAddr::new(from.parse().unwrap(), endpoint.tcp().unwrap().port());
                [V1, V2].map(|header| ask(addr, &[header, GET].concat()).unwrap())
            });
            for answer in result {
                assert!(
                    answer.contains("\r\n\r\n192.0.2.1:56324 at"),
                    "{peer}: {answer}"
                );
            }
            assert_eq!(named.refused(), 0);
        }
    }
    // One family is not the other.
    let named = proxies("::/0");
    let answer = beside("127.0.0.1:0", &named, |endpoint| {
        ask(endpoint.tcp().unwrap(), &[V1, GET].concat())
    });
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(named.refused(), 1);
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_trusted_if_it_is_named() {
    use std::os::unix::net::UnixStream;

    let path = std::env::temp_dir().join(format!("neap-proxy-{}.sock", std::process::id()));
    let ask = |peers: &str, bytes: &[u8]| {
        beside(path.clone(), &proxies(peers), |_| {
            let mut stream = UnixStream::connect(&path)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(bytes)?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            std::io::Result::Ok(answer)
        })
    };
    let answer = ask("unix:", &[V2, GET].concat()).unwrap();
    let words = format!(
        "192.0.2.1:56324 at 198.51.100.1:443 by unix: at unix:{}, true",
        path.display()
    );
    assert!(answer.ends_with(&words), "{answer}");
    let answer = ask("0.0.0.0/0", &[V2, GET].concat());
    assert!(!answer.is_ok_and(|answer| !answer.is_empty()));
}
