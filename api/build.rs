//! Has the program built anew when the dashboard was: rust-embed watches the files that it has embedded, not those that
//! come or the folder that was missing.

use std::path::Path;

fn main() {
    let folder = Path::new("../dashboard");
    let built = folder.join("dist");
    // What is missing counts as changed each time; the folder that it comes into changes when it does.
    let watched = if built.is_dir() { &built } else { folder };
    println!("cargo::rerun-if-changed={}", watched.display());
}
