//! The user of the operating system, who is the principal of the command line.

/// Returns the principal for the audit record: `cli:` and the name of the operating system's user.
pub(super) fn principal() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    format!("cli:{}", user.as_deref().unwrap_or("unknown"))
}
