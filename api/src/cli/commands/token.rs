//! The command `session-admin token`, which creates, lists and revokes access tokens.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;

use crate::auth::Role;
use crate::auth::access_token;
use crate::auth::access_token::Token;
use crate::cleanup::Age;
use crate::cli::output::{Output, eprint_note};
use crate::cli::{exit::Exit, migration_check::require_migrated, render, value_parsers};
use crate::config::Config;
use crate::db::Database;
use crate::error::Error;

/// The arguments of `token`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    what: TokenCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TokenCommand {
    /// Create a token and print it; it is not shown again
    Create {
        /// The name that the audit trail records
        #[arg(long, value_name = "NAME")]
        name: String,
        /// The role: a viewer reads and previews, an operator also deletes and restores, an admin also erases archives
        #[arg(long, value_name = "ROLE", ignore_case = true, value_parser = role_parser())]
        role: Role,
        /// When it expires: an ISO 8601 duration such as P90D, a date or a time in UTC, or `never`
        #[arg(long, value_name = "WHEN", default_value = "P90D", value_parser = parse_expiry)]
        expires: TokenExpiry,
    },
    /// List the tokens, newest first, with the time of each last use
    List,
    /// Revoke a token; its requests are refused and its WebSockets closed within a minute
    Revoke {
        /// The token's name, or its id
        #[arg(value_name = "NAME|ID")]
        token: String,
    },
}

/// The expiry of a token, as given on the command line.
#[derive(Debug, Clone)]
enum TokenExpiry {
    /// The token does not expire.
    Never,
    /// The token expires after this duration.
    After(TimeDelta),
    /// The token expires at this time.
    At(DateTime<Utc>),
}

/// The JSON document of a created token.
#[derive(Serialize)]
struct CreatedToken<'a> {
    /// The secret token text, which is shown only once.
    token: &'a str,
    #[serde(flatten)]
    record: &'a Token,
}

/// The JSON document of a list of tokens.
#[derive(Serialize)]
struct TokenList {
    tokens: Vec<Token>,
}

/// Creates, lists or revokes access tokens.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    require_migrated(&db).await?;
    match args.what {
        TokenCommand::Create { name, role, expires } => {
            create(&db, &name, role, &expires, output).await.map_err(explain_missing_grant)?;
        }
        TokenCommand::List => {
            let list = TokenList { tokens: access_token::list(&db).await? };
            output.print_document(&list);
            output.print_text(render::token_list(&list.tokens));
        }
        TokenCommand::Revoke { token } => revoke(&db, &token, output).await.map_err(explain_missing_grant)?,
    }
    db.close().await?;
    Ok(Exit::Done)
}

async fn create(db: &Database, name: &str, role: Role, expires: &TokenExpiry, output: Output) -> Result<(), Error> {
    let expires_at = match expires {
        TokenExpiry::Never => None,
        TokenExpiry::After(duration) => Some(db.settings().clock.now() + *duration),
        TokenExpiry::At(time) => Some(*time),
    };
    let (record, secret) = access_token::create(db, name, role, expires_at).await?;
    output.print_document(&CreatedToken { token: secret.expose(), record: &record });
    // Standard output contains only the token, so that a script can read it.
    output.print_text(secret.expose());
    if !output.is_json() {
        eprint_note(render::created_token(&record));
    }
    Ok(())
}

async fn revoke(db: &Database, name_or_id: &str, output: Output) -> Result<(), Error> {
    let unknown = || {
        Error::BadInput(format!(
            "No unrevoked token has the name or the id {name_or_id}. `session-admin token list` lists the tokens."
        ))
    };
    let record = access_token::revoke(db, name_or_id).await?.ok_or_else(unknown)?;
    output.print_document(&record);
    output.print_text(format_args!("✓ Revoked {}. Its requests are refused within a minute.", record.name));
    Ok(())
}

/// Replaces a missing grant by an error that says to use the owner's database role. The server's role lacks this grant
/// on purpose: access to the server must not allow creating tokens.
fn explain_missing_grant(error: Error) -> Error {
    match error {
        Error::MissingGrant(missing) => Error::IncompatibleDatabase(format!(
            "Only the owner of this program's tables can create and revoke tokens, and this database role is not the \
             owner ({}). Use the owner's DATABASE_URL, the one that `session-admin migrate` uses.",
            missing.message
        )),
        error => error,
    }
}

/// Returns a parser that maps the name of a role to the role.
fn role_parser() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(["viewer", "operator", "admin"])
        .try_map(|word| Role::from_name(&word).ok_or("an unknown role"))
}

/// Parses the expiry of a token: an ISO 8601 duration, a date, a timestamp in RFC 3339, or `never`. A date means
/// midnight in UTC.
fn parse_expiry(text: &str) -> Result<TokenExpiry, String> {
    if text.eq_ignore_ascii_case("never") {
        return Ok(TokenExpiry::Never);
    }
    if let Ok(age) = text.parse::<Age>() {
        return Ok(TokenExpiry::After(age.duration()));
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(TokenExpiry::At(date.and_time(NaiveTime::MIN).and_utc()));
    }
    value_parsers::parse_timestamp(text).map(TokenExpiry::At).map_err(|_| {
        "neither an ISO 8601 duration such as P90D, nor a date or a time such as 2027-01-31 or 2027-01-31T08:30:00Z, \
         nor never"
            .to_owned()
    })
}
