//! Which version of a peer was built.

/// What the build script wrote.
mod built {
    include!(concat!(env!("OUT_DIR"), "/built.rs"));
}

/// The version of a crate that this package depends on.
///
/// # Panics
///
/// It does not depend on that crate.
pub fn version(name: &str) -> &'static str {
    let mut crates = built::DIRECT_DEPENDENCIES.iter();
    let (_, version) = crates
        .find(|(dependency, _)| *dependency == name)
        .expect("the manifest names each peer");
    version
}
