//! The temporary folder of a test process, which holds its SQLite databases.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::server::FIND_BASE;

/// The shell script that creates the folder, prints its name, and deletes it at the end of standard input.
///
/// The test process holds the standard input open until it ends or is killed.
const KEEPER: &str = r#"
dir=$(mktemp -d "$base/session-admin-test-XXXXXX")
echo "$dir"
cat >/dev/null
rm -rf "$dir"
"#;

/// Returns the temporary folder of this process. It is deleted when the process ends, even if it is killed.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let (folder, _keeper) = FOLDER.get_or_init(|| {
        let mut command = Command::new("sh");
        command.args(["-c", &[FIND_BASE, KEEPER].concat(), "keeper"]).current_dir("/");
        // Ctrl-C goes to the process group of the tests; the keeper has to outlive it.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut keeper = command.spawn().unwrap();
        let mut folder = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut folder).unwrap();
        (PathBuf::from(folder.trim_end()), keeper)
    });
    folder
}
