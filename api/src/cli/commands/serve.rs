//! `session-admin serve`: the GraphQL API over HTTP.

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

/// The arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    listen: ListenOptions,
    /// Serve a throwaway database that holds a deployment in trouble, to try things on
    #[arg(long)]
    demo: bool,
    #[command(flatten)]
    scheduled: CleanupScheduleOptions,
    #[command(flatten)]
    jwt: JwtOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

/// Whoever asks while no token has been made: the server listens on loopback only.
const PRINCIPAL: &str = "local";

/// How long batches of cleanup runs that are under way have to finish, when all else has.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until it is told to stop.
pub(in crate::cli) async fn run(args: Args, mut config: Config, output: Output) -> Result<Exit, Error> {
    let (jwt, origins) = (args.jwt.resolve()?, args.listen.origins()?);
    // Where there is no database yet there is no token either, and none is made for nothing.
    if args.demo || config.require_file().is_err() {
        check_openness(&args.listen, &origins, jwt.is_some())?;
    }
    let scheduled = args.scheduled.resolve(config.database.clock)?;
    let limits = args.limits.resolve();
    // The database gives up what nobody waits for any more.
    config.database.query_timeout = config.database.query_timeout.min(limits.query_timeout);
    // Dropped at the end, and the demonstration's database with it.
    let mut demonstration = None;
    if args.demo {
        if config.database_named {
            tracing::warn!(
                target: "session_admin::cli",
                "--demo serves a database of its own: the one that --database-url (DATABASE_URL) names is not used"
            );
        }
        let folder = demonstrate(&mut config).await?;
        demonstration = Some(folder);
    }
    let db = Database::connect(config.database.clone()).await?;
    if !args.demo {
        ready(&db, &config).await?;
    }
    let authenticator = Authenticator::new(db.clone(), jwt);
    check_openness(&args.listen, &origins, authenticator.requires_token().await?)?;
    let gateway = config.gateway()?;
    let listener = listen(args.listen.listen).await?;
    let stopped = shutdown_signal::stopped()?;
    print_address(&listener, &config, args.demo, output)?;
    let state = AppState::new(db.clone(), config.accepted, PRINCIPAL)
        .with_gateway(gateway.clone())
        .with_authenticator(authenticator);
    let state = state.with_limits(limits);
    let workers = Workers::start(state.queue().clone(), gateway);
    let stop = workers.stopper();
    let told = async move {
        stopped.await;
        stop();
    };
    if scheduled.is_none() {
        tracing::info!(target: "session_admin::cli", "no --cleanup-schedule: stale sessions are cleaned up when somebody asks, and never by itself");
    }
    let schedule = scheduled.map(|(plan, times)| {
        let plan = plan.with_gateway(state.gateway().cloned());
        let queue = state.queue().clone();
        let started = move |run: CleanupRun| {
            let queue = queue.clone();
            async move { queue.push(run.id).await }
        };
        tokio::spawn(cron::run_schedule(db.clone(), plan, times, state.metrics().clone(), started))
    });
    let sockets = Sockets::default();
    let expiring = tokio::spawn(deletion::expire_hourly(db.clone(), RunErasure));
    let served = http::serve(listener, state, sockets, &origins, told).await;
    // It may be stopped at any moment; the next server goes on with it.
    expiring.abort();
    if let Some(schedule) = schedule {
        schedule.abort();
    }
    if !workers.stop(GRACE).await {
        tracing::warn!(target: "session_admin::cli", "a batch of a cleanup run did not finish in time: the database rolls it back");
    }
    served?;
    db.close().await?;
    drop(demonstration);
    Ok(Exit::Done)
}

/// While no token is needed, neither other machines nor any page may reach the server.
fn check_openness(listen: &ListenOptions, origins: &[Origin], closed: bool) -> Result<(), Error> {
    http::check_listen(listen.listen, closed)?;
    http::check_origins(origins, closed)
}

/// Puts the scenario into a file of its own and points the configuration there.
async fn demonstrate(config: &mut Config) -> Result<TempDir, Error> {
    let failed = |source| Error::Io { what: "No folder for the demonstration's database".to_owned(), source };
    let folder = TempDir::with_prefix("session-admin-demo-").map_err(failed)?;
    config.database.url = demo::create(&folder.path().join("demo.db")).await?;
    Ok(folder)
}

/// The database may be served: nothing is pending but the purge, which changes no table's definition. The default file is migrated when it is new, since there is nothing in
/// it that could be purged; anything else is for `migrate`, which asks.
async fn ready(db: &Database, config: &Config) -> Result<(), Error> {
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

async fn is_new(db: &Database) -> Result<bool, Error> {
    if db.dialect() != Dialect::Sqlite {
        return Ok(false);
    }
    let statement = db.dialect().statement("SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table'", []);
    let row = db.pool().query_one_raw(statement).await?;
    Ok(row.map(|row| row.try_get::<i64>("", "tables")).transpose()? == Some(0))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Io { what: format!("--listen {address}: the port cannot be opened"), source })
}

fn print_address(listener: &TcpListener, config: &Config, demo: bool, output: Output) -> Result<(), Error> {
    let address =
        listener.local_addr().map_err(|source| Error::Io { what: "The port has no address".to_owned(), source })?;
    let (page, endpoint) = (format!("http://{address}/"), format!("http://{address}/graphql"));
    let mut document = json!({ "page": page, "endpoint": endpoint });
    if demo {
        document["databaseUrl"] = json!(config.database.url);
    }
    output.document(&document);
    output.text(format_args!("GraphiQL: {page}\nGraphQL:  {endpoint}\nStop with Ctrl-C."));
    if demo {
        output.text(example_url(&config.database.url));
    }
    Ok(())
}

/// What to do with the demonstration, in the order in which it tells the story. `migrate` leaves no stale session, so the
/// preview is of the connected ones.
fn example_url(url: &str) -> String {
    // As it was typed here, so that it works there too.
    let program = std::env::args().next().unwrap_or_else(|| "session-admin".to_owned());
    format!(
        "\nThis is a throwaway copy of a deployment in which no session can be deleted. In another terminal:\n  \
         {program} doctor --database-url {url}\n  \
         {program} migrate --database-url {url}\n  \
         {program} cleanup --dry-run --status connected --phone-number present --database-url {url}"
    )
}
