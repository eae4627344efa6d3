//! Tests of the files in `deploy/`, with the tools that read them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cli::{ended, executable};
use crate::support::skip;

fn read_file(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Writes the systemd unit to a temporary folder, with the path of the built executable. Skips the test and returns
/// `None` without systemd.
fn write_unit() -> Option<(tempfile::TempDir, PathBuf)> {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        skip("systemd-analyze is not on PATH");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session-admin.service");
    let text = read_file("deploy/session-admin.service");
    assert!(text.contains("\nExecStart=/usr/local/bin/session-admin serve\n"));
    std::fs::write(&path, text.replace("/usr/local/bin/session-admin", env!("CARGO_BIN_EXE_session-admin"))).unwrap();
    Some((folder, path))
}

#[test]
fn the_unit_is_understood_and_has_few_rights() {
    let Some((_folder, path)) = write_unit() else { return };
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output().unwrap();
    let stderr = String::from_utf8_lossy(&verified.stderr).into_owned();
    let warnings: Vec<&str> = stderr.lines().filter(|line| line.contains("session-admin")).collect();
    assert!(verified.status.success() && warnings.is_empty(), "{stderr}");
    // systemd restarts the service without limit, however long the database is unreachable.
    assert!(read_file("deploy/session-admin.service").contains("\nStartLimitIntervalSec=0\n"));
    // An exposure of at most 1.5 of 10 is required; systemd calls that OK.
    let mut security = Command::new("systemd-analyze");
    let rated = security.args(["security", "--offline=true", "--threshold=15"]).arg(&path).output().unwrap();
    assert!(rated.status.success(), "{}", String::from_utf8_lossy(&rated.stdout));
}

#[test]
fn the_environment_s_file_names_options_that_there_are() {
    let help = ended(executable(&["serve", "--help"])).stdout;
    let names: Vec<String> = read_file("deploy/session-admin.env")
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_'))
        .collect();
    assert!(names.len() > 5, "{names:?}");
    // podman would read quotes as part of the value.
    assert!(!read_file("deploy/session-admin.env").contains(['"', '\'']));
    for name in names {
        assert!(help.contains(&format!("[env: {name}")), "{name}");
    }
}

#[test]
fn the_image_is_built_by_this_rust_and_runs_without_rights() {
    let text = read_file("deploy/Containerfile");
    let manifest = read_file("Cargo.toml");
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(text.contains(&format!("/rust:{version}-slim-")), "{version}");
    let (_, last) = text.rsplit_once("\nFROM ").unwrap();
    assert!(last.contains("\nUSER nonroot:nonroot\n") && !last.contains("\nRUN "), "{last}");
    // Copied files exist in the repository and are not ignored.
    for folder in ["dashboard/package.json", "dashboard/package-lock.json"] {
        assert!(text.contains(folder));
        read_file(folder);
    }
    let ignored = read_file(".containerignore");
    assert_eq!(read_file(".dockerignore"), ignored);
    for part in ["target", "node_modules", ".venv", ".git"] {
        assert!(ignored.lines().any(|line| line.trim_start_matches("**/") == part), "{part}");
    }
}
