//! What `deploy/` installs, looked at by the tools that will read it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::{ended, executable};
use crate::support::skip;

fn file(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The unit in a folder of its own, with an executable that is there; none where systemd is not.
fn unit() -> Option<(tempfile::TempDir, PathBuf)> {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        skip("systemd-analyze is not on PATH");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session-admin.service");
    let text = file("deploy/session-admin.service");
    assert!(text.contains("\nExecStart=/usr/local/bin/session-admin serve\n"));
    std::fs::write(&path, text.replace("/usr/local/bin/session-admin", env!("CARGO_BIN_EXE_session-admin"))).unwrap();
    Some((folder, path))
}

#[test]
fn the_unit_is_understood_and_has_few_rights() {
    let Some((_folder, path)) = unit() else { return };
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let about: Vec<&str> = said.lines().filter(|line| line.contains("session-admin")).collect();
    assert!(verified.status.success() && about.is_empty(), "{said}");
    // It is started again however long the database is away.
    assert!(file("deploy/session-admin.service").contains("\nStartLimitIntervalSec=0\n"));
    // In tenths: 15 of 100 is what systemd calls OK.
    let mut security = Command::new("systemd-analyze");
    let rated = security.args(["security", "--offline=true", "--threshold=15"]).arg(&path).output().unwrap();
    assert!(rated.status.success(), "{}", String::from_utf8_lossy(&rated.stdout));
}

#[test]
fn the_environment_s_file_names_options_that_there_are() {
    let help = ended(executable(&["serve", "--help"])).stdout;
    let names: Vec<String> = file("deploy/session-admin.env")
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_'))
        .collect();
    assert!(names.len() > 5, "{names:?}");
    // podman would take them for part of the value.
    assert!(!file("deploy/session-admin.env").contains(['"', '\'']));
    for name in names {
        assert!(help.contains(&format!("[env: {name}")), "{name}");
    }
}

#[test]
fn the_image_is_built_by_this_rust_and_runs_without_rights() {
    let text = file("deploy/Containerfile");
    let manifest = file("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(text.contains(&format!("/rust:{version}-slim-")), "{version}");
    let (_, last) = text.rsplit_once("\nFROM ").unwrap();
    assert!(last.contains("\nUSER nonroot:nonroot\n") && !last.contains("\nRUN "), "{last}");
    // What is copied from the repository is there, and not kept away.
    for folder in ["dashboard/package.json", "dashboard/package-lock.json"] {
        assert!(text.contains(folder));
        file(folder);
    }
    let ignored = file(".containerignore");
    assert_eq!(file(".dockerignore"), ignored);
    for part in ["target", "node_modules", ".venv", ".git"] {
        assert!(ignored.lines().any(|line| line.trim_start_matches("**/") == part), "{part}");
    }
}
