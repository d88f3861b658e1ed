//! The examples as programs.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Returns the command that runs an example. It builds them first, all at once: cargo does not when it runs a single
/// test.
pub fn example(name: &str) -> Command {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--all-features", "--examples"]);
        // What cargo tells a test of its package. The build script of ring watches some of these, so that with them
        // all that depends on it would be built anew, and once more by the next cargo without them.
        for (name, _) in std::env::vars_os() {
            let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CFG_"];
            if own
                .iter()
                .any(|own| name.to_string_lossy().starts_with(own))
            {
                cargo.env_remove(name);
            }
        }
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        let built = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status();
        assert!(built.unwrap().success());
        let own = std::env::current_exe().unwrap();
        own.ancestors().nth(2).unwrap().join("examples")
    });
    Command::new(folder.join(name))
}
