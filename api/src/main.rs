//! The binary of the program. All code is in the library, so that tests use the same code as the binary.

use std::process::ExitCode;

/// The memory allocator of the program. A response consists of many small allocations, which mimalloc serves quickly.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    api::cli::main().await
}
