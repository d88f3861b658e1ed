//! What the settings of a server must be.

use std::io::ErrorKind;

use futures_lite::future::block_on;
use neap::Group;
use neap::http::Server;

fn without_connections() -> Server<tide::Server<()>> {
    Server::new(tide::new(), "127.0.0.1:0").max_connections(0)
}

#[test]
fn a_limit_of_zero_connections_is_an_error_before_anything_is_bound() {
    let error = without_connections().bind().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("zero"), "{error}");

    let mut group = Group::new();
    group.add("http", without_connections().into_service());
    let error = block_on(group.run()).unwrap_err().to_string();
    assert!(
        error.contains("`http`") && error.contains("zero"),
        "{error}"
    );
}
