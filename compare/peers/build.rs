//! Writes down the versions of the peers, as the lock file has them.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rerun-if-changed=Cargo.toml");
    built::write_built_file()
}
