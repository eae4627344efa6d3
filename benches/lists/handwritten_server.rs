//! The hand-written server of the three lists: axum and sqlx, one statement each, JSON in the shape of the API's
//! response.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::sqlx::postgres::{PgPool, PgPoolOptions};
use sea_orm::sqlx::query_as;
use serde::{Deserialize, Serialize, Serializer};
use tokio::net::TcpListener;
use uuid::Uuid;

/// A query of one page and one more row, which tells whether another page follows.
const SESSIONS: &str = "SELECT id, session_name, status, phone_number, created_at FROM whatsapp_sessions \
                        ORDER BY created_at DESC, id DESC LIMIT $1";

const GROUPS: &str = "\
    SELECT p.id, p.session_name, p.status, g.id, g.group_name, g.participant_count \
    FROM (SELECT id, session_name, status, created_at FROM whatsapp_sessions ORDER BY created_at DESC, id DESC LIMIT $1) p \
    LEFT JOIN LATERAL (SELECT id, group_name, participant_count FROM whatsapp_groups WHERE session_id = p.id \
                       ORDER BY group_name, id LIMIT 10) g ON true \
    ORDER BY p.created_at DESC, p.id DESC, g.group_name, g.id";

const COUNTS: &str = "\
    SELECT id, session_name, status, (SELECT count(*) FROM whatsapp_groups g WHERE g.session_id = s.id) \
    FROM whatsapp_sessions s ORDER BY created_at DESC, id DESC LIMIT $1";

#[derive(Deserialize)]
struct Ask {
    first: i64,
}

#[derive(Serialize)]
struct Answer<T> {
    data: Data<T>,
}

#[derive(Serialize)]
struct Data<T> {
    sessions: Connection<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connection<T> {
    nodes: Vec<T>,
    page_info: PageInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    id: Uuid,
    name: String,
    #[serde(serialize_with = "word")]
    status: String,
    phone_number: Option<String>,
    #[serde(serialize_with = "moment")]
    created_at: DateTime<Utc>,
}

type SessionRow = (Uuid, String, String, Option<String>, DateTime<Utc>);

impl From<SessionRow> for Session {
    fn from((id, name, status, phone_number, created_at): SessionRow) -> Self {
        Self { id, name, status, phone_number, created_at }
    }
}

#[derive(Serialize)]
struct WithGroups {
    id: Uuid,
    name: String,
    #[serde(serialize_with = "word")]
    status: String,
    groups: Groups,
}

#[derive(Serialize, Default)]
struct Groups {
    nodes: Vec<Group>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    id: Uuid,
    name: String,
    participant_count: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WithCount {
    id: Uuid,
    name: String,
    #[serde(serialize_with = "word")]
    status: String,
    group_count: i64,
}

fn word<S: Serializer>(status: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match status {
        "connected" => "CONNECTED",
        "connecting" => "CONNECTING",
        "qr_pending" => "QR_PENDING",
        "disconnected" => "DISCONNECTED",
        _ => "OTHER",
    })
}

fn moment<S: Serializer>(moment: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Serves the lists until the process is killed.
pub async fn serve(url: &str, address: &str) {
    let pool = PgPoolOptions::new().max_connections(16).test_before_acquire(false).connect(url).await.unwrap();
    let router = Router::new()
        .route("/list", post(list))
        .route("/groups", post(groups))
        .route("/counts", post(counts))
        .with_state(pool);
    axum::serve(TcpListener::bind(address).await.unwrap(), router).await.unwrap();
}

fn answer<T: Serialize>(ask: &Ask, mut nodes: Vec<T>) -> Response {
    let first = usize::try_from(ask.first).unwrap();
    let has_next_page = nodes.len() > first;
    nodes.truncate(first);
    let sessions = Connection { nodes, page_info: PageInfo { has_next_page } };
    Json(Answer { data: Data { sessions } }).into_response()
}

async fn list(State(pool): State<PgPool>, Json(ask): Json<Ask>) -> Response {
    let rows: Vec<SessionRow> = query_as(SESSIONS).bind(ask.first + 1).fetch_all(&pool).await.unwrap();
    answer(&ask, rows.into_iter().map(Session::from).collect())
}

type GroupRow = (Uuid, String, String, Option<Uuid>, Option<String>, Option<i32>);

async fn groups(State(pool): State<PgPool>, Json(ask): Json<Ask>) -> Response {
    let rows: Vec<GroupRow> = query_as(GROUPS).bind(ask.first + 1).fetch_all(&pool).await.unwrap();
    let mut nodes: Vec<WithGroups> = Vec::new();
    for (id, name, status, group, group_name, participant_count) in rows {
        if nodes.last().is_none_or(|last| last.id != id) {
            nodes.push(WithGroups { id, name, status, groups: Groups::default() });
        }
        if let (Some(last), Some(id), Some(name), Some(participant_count)) =
            (nodes.last_mut(), group, group_name, participant_count)
        {
            last.groups.nodes.push(Group { id, name, participant_count });
        }
    }
    answer(&ask, nodes)
}

async fn counts(State(pool): State<PgPool>, Json(ask): Json<Ask>) -> Response {
    let rows: Vec<(Uuid, String, String, i64)> = query_as(COUNTS).bind(ask.first + 1).fetch_all(&pool).await.unwrap();
    let node = |(id, name, status, group_count)| WithCount { id, name, status, group_count };
    answer(&ask, rows.into_iter().map(node).collect())
}
