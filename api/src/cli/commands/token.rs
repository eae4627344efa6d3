//! `session-admin token`: making, listing and revoking access tokens.

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

/// The arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    what: TokenCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TokenCommand {
    /// Make a token, and print it: nobody can show it again
    Create {
        /// The name under which what is done with it is recorded
        #[arg(long, value_name = "NAME")]
        name: String,
        /// What it allows: a viewer reads and previews, an operator deletes and restores too, an admin erases archives too
        #[arg(long, value_name = "ROLE", ignore_case = true, value_parser = role())]
        role: Role,
        /// When it ends: an ISO 8601 duration such as P90D, a date or a moment in UTC, or `never`
        #[arg(long, value_name = "WHEN", default_value = "P90D", value_parser = parse_expiry)]
        expires: TokenExpiry,
    },
    /// List the tokens, newest first, with when each was used last
    List,
    /// End a token: whoever still uses it is refused within a minute, over open sockets too
    Revoke {
        /// The token's name, or its id
        #[arg(value_name = "NAME|ID")]
        token: String,
    },
}

/// When a token ends.
#[derive(Debug, Clone)]
enum TokenExpiry {
    Never,
    After(TimeDelta),
    At(DateTime<Utc>),
}

/// A token that was made, as a document.
#[derive(Serialize)]
struct CreatedToken<'a> {
    /// The token itself.
    token: &'a str,
    #[serde(flatten)]
    record: &'a Token,
}

/// The tokens, as a document.
#[derive(Serialize)]
struct TokenList {
    tokens: Vec<Token>,
}

/// Makes, lists or revokes.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    require_migrated(&db).await?;
    match args.what {
        TokenCommand::Create { name, role, expires } => {
            create(&db, &name, role, &expires, output).await.map_err(owner_error)?;
        }
        TokenCommand::List => {
            let list = TokenList { tokens: access_token::list(&db).await? };
            output.document(&list);
            output.text(render::tokens(&list.tokens));
        }
        TokenCommand::Revoke { token } => revoke(&db, &token, output).await.map_err(owner_error)?,
    }
    db.close().await?;
    Ok(Exit::Done)
}

async fn create(db: &Database, name: &str, role: Role, expires: &TokenExpiry, output: Output) -> Result<(), Error> {
    let expires_at = match expires {
        TokenExpiry::Never => None,
        TokenExpiry::After(lasts) => Some(db.settings().clock.now() + *lasts),
        TokenExpiry::At(moment) => Some(*moment),
    };
    let (record, secret) = access_token::create(db, name, role, expires_at).await?;
    output.document(&CreatedToken { token: secret.expose(), record: &record });
    // Alone on standard output, so that a script can take it.
    output.text(secret.expose());
    if !output.json() {
        eprint_note(render::token_made(&record));
    }
    Ok(())
}

async fn revoke(db: &Database, named: &str, output: Output) -> Result<(), Error> {
    let unknown = || {
        Error::BadInput(format!(
            "No token that is not revoked has the name {named}, and none has it as its id. `session-admin token list` lists them."
        ))
    };
    let record = access_token::revoke(db, named).await?.ok_or_else(unknown)?;
    output.document(&record);
    output.text(format_args!("✓ Revoked {}. Whoever still uses it is refused within a minute.", record.name));
    Ok(())
}

/// The role that the server works as lacks nothing: whoever has the server shall not be able to make tokens.
fn owner_error(error: Error) -> Error {
    match error {
        Error::MissingGrant(said) => Error::IncompatibleDatabase(format!(
            "Tokens are made and revoked by the owner of this program's tables, and this database role is not ({}). Run \
             this with the owner's DATABASE_URL, the one that `session-admin migrate` is run with.",
            said.message
        )),
        error => error,
    }
}

fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(["viewer", "operator", "admin"])
        .try_map(|word| Role::from_name(&word).ok_or("an unknown role"))
}

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
        "neither an ISO 8601 duration such as P90D, nor a date or a moment such as 2027-01-31 or 2027-01-31T08:30:00Z, nor \
         never"
            .to_owned()
    })
}
