//! The command `session-admin serve`, which serves the GraphQL API over HTTP.

use std::net::SocketAddr;
use std::time::Duration;

use migration::{MigrationSession, STALE_PURGE};
use sea_orm::ConnectionTrait as _;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::app_state::AppState;
use crate::auth::Authenticator;
use crate::cleanup::{CleanupRun, RunErasure};
use crate::cli::output::Output;
use crate::cli::{exit::Exit, shutdown_signal};
use crate::config::{CleanupScheduleOptions, Config, JwtOptions, LimitOptions, ListenOptions};
use crate::db::{Database, Dialect};
use crate::error::Error;
use crate::http::{Origin, Sockets};
use crate::worker::Workers;
use crate::worker::cron;
use crate::{deletion, demo, http};

/// The arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    listen: ListenOptions,
    /// Serve a throwaway database with sample data, in which no session can be deleted yet, to try the program
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    scheduled: CleanupScheduleOptions,
    #[command(flatten)]
    jwt: JwtOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

/// The principal of every request while no authentication is configured. The server then listens on loopback only.
const LOCAL_PRINCIPAL: &str = "local";

/// The time that batches of cleanup runs in progress have to finish after the HTTP server has stopped.
const BATCH_GRACE_PERIOD: Duration = Duration::from_secs(10);

/// Serves the API until the process receives a shutdown signal.
pub(in crate::cli) async fn run(args: Args, mut config: Config, output: Output) -> Result<Exit, Error> {
    let (jwt, origins) = (args.jwt.resolve()?, args.listen.origins()?);
    // Without a database there are no tokens. This check comes first, so that an invalid address creates no database.
    if args.demo || config.require_file().is_err() {
        check_exposure(&args.listen, &origins, jwt.is_some())?;
    }
    let scheduled = args.scheduled.resolve(config.database.clock)?;
    let limits = args.limits.resolve();
    // The database cancels a statement once its request has timed out.
    config.database.query_timeout = config.database.query_timeout.min(limits.query_timeout);
    // The folder with the demo database is deleted when this is dropped, at the end.
    let mut demo_folder = None;
    if args.demo {
        if config.database_named {
            tracing::warn!(
                target: "session_admin::cli",
                "--demo serves its own database and ignores --database-url (DATABASE_URL)"
            );
        }
        let folder = create_demo_database(&mut config).await?;
        demo_folder = Some(folder);
    }
    let db = Database::connect(config.database.clone()).await?;
    if !args.demo {
        require_servable(&db, &config).await?;
    }
    let authenticator = Authenticator::new(db.clone(), jwt);
    check_exposure(&args.listen, &origins, authenticator.requires_token().await?)?;
    let gateway = config.gateway()?;
    let listener = bind_listener(args.listen.listen).await?;
    let shutdown_requested = shutdown_signal::listen_for_shutdown()?;
    print_address(&listener, &config, args.demo, output)?;
    let state = AppState::new(db.clone(), config.accepted, LOCAL_PRINCIPAL)
        .with_gateway(gateway.clone())
        .with_authenticator(authenticator);
    let state = state.with_limits(limits);
    let workers = Workers::start(state.queue().clone(), gateway);
    let stop_workers = workers.stopper();
    let shutdown = async move {
        shutdown_requested.await;
        stop_workers();
    };
    if scheduled.is_none() {
        tracing::info!(target: "session_admin::cli", "no --cleanup-schedule: stale sessions are cleaned up on request only");
    }
    let schedule_task = scheduled.map(|(plan, times)| {
        let plan = plan.with_gateway(state.gateway().cloned());
        let queue = state.queue().clone();
        let queue_run = move |run: CleanupRun| {
            let queue = queue.clone();
            async move { queue.push(run.id).await }
        };
        tokio::spawn(cron::run_schedule(db.clone(), plan, times, state.metrics().clone(), queue_run))
    });
    let sockets = Sockets::default();
    let expiry_task = tokio::spawn(deletion::expire_hourly(db.clone(), RunErasure));
    let serve_result = http::serve(listener, state, sockets, &origins, shutdown).await;
    // Expiry can be aborted at any time; the next server continues it.
    expiry_task.abort();
    if let Some(task) = schedule_task {
        task.abort();
    }
    if !workers.stop(BATCH_GRACE_PERIOD).await {
        tracing::warn!(target: "session_admin::cli", "a batch of a cleanup run did not finish in time: the database rolls it back");
    }
    serve_result?;
    db.close().await?;
    drop(demo_folder);
    Ok(Exit::Done)
}

/// Checks that, unless a token is required, neither other machines nor pages of other origins can reach the server.
///
/// # Errors
/// [`Error::BadInput`] that names the option.
fn check_exposure(listen: &ListenOptions, origins: &[Origin], requires_token: bool) -> Result<(), Error> {
    http::check_listen(listen.listen, requires_token)?;
    http::check_origins(origins, requires_token)
}

/// Creates the demo database in a temporary folder and makes it the configured database. Returns the folder, which is
/// deleted when it is dropped.
async fn create_demo_database(config: &mut Config) -> Result<TempDir, Error> {
    let io_error = |source| Error::Io { what: "The folder for the demo database cannot be created".to_owned(), source };
    let folder = TempDir::with_prefix("session-admin-demo-").map_err(io_error)?;
    config.database.url = demo::create(&folder.path().join("demo.db")).await?;
    Ok(folder)
}

/// Checks that the database can be served: no migration is pending except the purge, which changes no table definition.
///
/// A new default file is migrated first, since it contains nothing to purge. Any other database is left to `migrate`,
/// which asks for confirmation.
///
/// # Errors
/// [`Error::MigrationsPending`] with the number of pending migrations; errors of the database.
async fn require_servable(db: &Database, config: &Config) -> Result<(), Error> {
    let pending = migration::list_pending(db.pool()).await?;
    if pending.is_empty() {
        return Ok(());
    }
    if pending == [STALE_PURGE] {
        tracing::warn!(target: "session_admin::cli", "the purge of stale sessions is still pending: `session-admin migrate` shows it and asks again");
        return Ok(());
    }
    if config.database_named || !is_new(db).await? {
        return Err(Error::MigrationsPending(pending.len()));
    }
    let session = MigrationSession::open(&config.database.url, &config.database.schema, || ()).await?;
    session
        .apply_remaining(&mut |name| tracing::info!(target: "session_admin::cli", name, "applied to the new database"))
        .await?;
    session.close().await?;
    Ok(())
}

/// Returns whether the database is an SQLite file without any table.
async fn is_new(db: &Database) -> Result<bool, Error> {
    if db.dialect() != Dialect::Sqlite {
        return Ok(false);
    }
    let statement = db.dialect().statement("SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table'", []);
    let row = db.pool().query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get::<i64>("", "tables")).transpose()? == Some(0))
}

async fn bind_listener(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Io { what: format!("--listen {address}: the port cannot be opened"), source })
}

fn print_address(listener: &TcpListener, config: &Config, demo: bool, output: Output) -> Result<(), Error> {
    let address = listener
        .local_addr()
        .map_err(|source| Error::Io { what: "The address of the port is unknown".to_owned(), source })?;
    let (page, endpoint) = (format!("http://{address}/"), format!("http://{address}/graphql"));
    let mut document = json!({ "page": page, "endpoint": endpoint });
    if demo {
        document["databaseUrl"] = json!(config.database.url);
    }
    output.print_document(&document);
    output.print_text(format_args!("GraphiQL: {page}\nGraphQL:  {endpoint}\nStop with Ctrl-C."));
    if demo {
        output.print_text(demo_instructions(&config.database.url));
    }
    Ok(())
}

/// Returns the example commands for the demo database, in the order in which to run them. `migrate` deletes all stale
/// sessions, so the last command previews a cleanup of the connected ones.
fn demo_instructions(url: &str) -> String {
    // The program's path as the user typed it, so that the commands also work in another terminal.
    let program = std::env::args().next().unwrap_or_else(|| "session-admin".to_owned());
    format!(
        "\nThis is a throwaway database with sample data, in which no session can be deleted yet. In another \
         terminal:\n  \
         {program} doctor --database-url {url}\n  \
         {program} migrate --database-url {url}\n  \
         {program} cleanup --dry-run --status connected --phone-number present --database-url {url}"
    )
}
