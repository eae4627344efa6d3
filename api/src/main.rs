//! The binary: everything is in the library, so that tests and servers use the same.

use std::process::ExitCode;

/// An answer is made of many small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    api::cli::main().await
}
