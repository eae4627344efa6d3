//! The principal of the command line: the user of the operating system.

/// Returns the principal for the audit record: `cli:` followed by the name of the operating system's user, or by
/// `unknown`.
pub(super) fn current_principal() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()));
    format!("cli:{}", user.as_deref().unwrap_or("unknown"))
}
