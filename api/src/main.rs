//! The binary: everything is in the library, so that tests and servers use the same.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    api::cli::main().await
}
