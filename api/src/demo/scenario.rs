//! The sample data of a deployment whose stale sessions cannot be deleted: 9 stale sessions with 580 groups and 37
//! campaign references, and 5 connected sessions with 40 groups each.
//!
//! Every value is computed from constants. Plain SQL text is therefore safe, and two loads are identical byte for byte.

use crate::db::{Dialect, quote};

/// A session of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The id of the session, a UUID.
    pub id: &'static str,
    /// The name of the session.
    pub name: &'static str,
    /// The status, as stored in the database.
    pub status: &'static str,
    /// The phone number; `None` if the session has never been paired.
    pub phone_number: Option<&'static str>,
    /// The number of groups that belong to the session.
    pub groups: u32,
}

const fn stale_session(id: &'static str, name: &'static str, status: &'static str, groups: u32) -> Session {
    Session { id, name, status, phone_number: None, groups }
}

const fn connected_session(id: &'static str, name: &'static str, phone_number: &'static str) -> Session {
    Session { id, name, status: "connected", phone_number: Some(phone_number), groups: 40 }
}

/// All sessions of the scenario. In this order, groups 1 to 580 belong to the stale ones, groups 581 to 780 to the
/// connected ones.
pub const SESSIONS: [Session; 14] = [
    stale_session("303d5044-0000-4000-8000-000000000001", "stale-1", "qr_pending", 120),
    stale_session("07e810ce-0000-4000-8000-000000000002", "stale-2", "connecting", 95),
    stale_session("8842d937-0000-4000-8000-000000000003", "stale-3", "qr_pending", 80),
    stale_session("caae7ecf-0000-4000-8000-000000000004", "stale-4", "qr_pending", 75),
    stale_session("2d70b0ef-0000-4000-8000-000000000005", "stale-5", "connecting", 60),
    stale_session("c330db9f-0000-4000-8000-000000000006", "stale-6", "qr_pending", 55),
    stale_session("857bbdfb-0000-4000-8000-000000000007", "stale-7", "disconnected", 45),
    stale_session("fc78d08a-0000-4000-8000-000000000008", "stale-8", "disconnected", 30),
    stale_session("fd5cd67a-0000-4000-8000-000000000009", "stale-9", "connecting", 20),
    connected_session("c0ffee00-0000-4000-8000-000000000010", "live-1", "+15550100010"),
    connected_session("c0ffee00-0000-4000-8000-000000000011", "live-2", "+15550100011"),
    connected_session("c0ffee00-0000-4000-8000-000000000012", "live-3", "+15550100012"),
    connected_session("c0ffee00-0000-4000-8000-000000000013", "live-4", "+15550100013"),
    connected_session("c0ffee00-0000-4000-8000-000000000014", "live-5", "+15550100014"),
];

/// The number of stale sessions, which come first in [`SESSIONS`].
pub const STALE_SESSIONS: usize = 9;

/// The number of the last group of a stale session. The groups after it belong to connected sessions.
const LAST_STALE_GROUP: u32 = 580;

/// A kind of row with a generated id. The discriminant is the first part of the id.
#[derive(Clone, Copy)]
enum Kind {
    Group = 1,
    Admin,
    Campaign,
    CampaignGroup,
    Webinar,
    WebinarGroup,
    WebinarMessage,
    Message,
    Workshop,
    WorkshopGroup,
    Member,
    Link,
}

/// Returns the statements that fill the thirteen tables, parents first. `schema` is the PostgreSQL schema of the
/// tables. It is needed only if that schema is not the first one of the search path.
#[must_use]
pub fn statements(dialect: Dialect, schema: Option<&str>) -> Vec<String> {
    let prefix = match (dialect, schema) {
        (Dialect::Postgres, Some(schema)) => format!("{}.", quote(schema)),
        _ => String::new(),
    };
    [
        session_inserts(),
        group_inserts(),
        admin_inserts(),
        campaign_inserts(),
        webinar_inserts(),
        webinar_child_inserts(),
        message_inserts(),
        workshop_inserts(),
        link_inserts(),
    ]
    .into_iter()
    .flatten()
    .map(|insert| {
        format!("INSERT INTO {prefix}{} ({}) VALUES\n{}", insert.table, insert.columns, insert.rows.join(",\n"))
    })
    .collect()
}

/// The rows to insert into one table.
struct Insert {
    table: &'static str,
    columns: &'static str,
    rows: Vec<String>,
}

/// Returns an insert with one row for each number from 1 to `count`.
fn insert_rows(table: &'static str, columns: &'static str, count: u32, row: impl Fn(u32) -> String) -> Insert {
    Insert { table, columns, rows: (1..=count).map(|n| format!("({})", row(n))).collect() }
}

/// Returns the id of a row as an SQL literal.
fn row_id(kind: Kind, n: u32) -> String {
    format!("'{:08x}-0000-4000-8000-{n:012}'", kind as u32)
}

fn group_id(n: u32) -> String {
    row_id(Kind::Group, n)
}

fn group_id_or_null(n: Option<u32>) -> String {
    n.map_or_else(|| "NULL".to_owned(), group_id)
}

/// Returns the id of the group that row `n` references. Rows up to `last` reference every `step`th group of the stale
/// sessions, the other rows the groups of the connected ones.
fn group_id_of_row(last: u32, step: u32, n: u32) -> String {
    group_id(if n <= last { n * step } else { LAST_STALE_GROUP + n })
}

/// Returns midnight of a day in January 2026 as an SQL literal that both databases accept.
fn january_timestamp(day: u32) -> String {
    format!("'2026-01-{day:02}T00:00:00+00:00'")
}

/// Returns the creation time of all rows whose age does not matter.
fn default_timestamp() -> String {
    january_timestamp(5)
}

fn session_inserts() -> Vec<Insert> {
    let row = |(day, session): (u32, &Session)| {
        let phone = session.phone_number.map_or_else(|| "NULL".to_owned(), |phone| format!("'{phone}'"));
        let (Session { id, name, status, .. }, at) = (session, january_timestamp(day));
        format!("('{id}', '{name}', '{status}', {phone}, {at}, {at})")
    };
    vec![Insert {
        table: "whatsapp_sessions",
        columns: "id, session_name, status, phone_number, created_at, updated_at",
        rows: (6..).zip(&SESSIONS).map(row).collect(),
    }]
}

fn group_inserts() -> Vec<Insert> {
    let owners = (6..).zip(&SESSIONS).flat_map(|(day, session)| (0..session.groups).map(move |_| (day, session.id)));
    let row = |(n, (day, session)): (u32, (u32, &str))| {
        let (participants, at) = (10 + (n * 37) % 900, january_timestamp(day));
        format!("({}, '{session}', '1203630000{n:08}@g.us', 'Group {n}', {participants}, {at}, {at})", group_id(n))
    };
    vec![Insert {
        table: "whatsapp_groups",
        columns: "id, session_id, group_jid, group_name, participant_count, created_at, updated_at",
        rows: (1..).zip(owners).map(row).collect(),
    }]
}

fn admin_inserts() -> Vec<Insert> {
    vec![insert_rows("whatsapp_group_admins", "id, group_id, phone, created_at", 1000, |n| {
        format!("{}, {}, '+1556{n:07}', {}", row_id(Kind::Admin, n), group_id(1 + n % 780), default_timestamp())
    })]
}

fn campaign_inserts() -> Vec<Insert> {
    vec![
        insert_rows("notification_campaigns", "id, name, created_at", 10, |n| {
            format!("{}, 'Campaign {n}', {}", row_id(Kind::Campaign, n), default_timestamp())
        }),
        insert_rows("notification_campaign_groups", "id, campaign_id, group_id, status, sent_at", 100, |n| {
            let (campaign, group) = (row_id(Kind::Campaign, 1 + n % 10), group_id_of_row(37, 15, n));
            format!("{}, {campaign}, {group}, 'sent', {}", row_id(Kind::CampaignGroup, n), january_timestamp(20))
        }),
    ]
}

/// Returns the webinars. Webinar 1 references stale groups through both columns, so one row has two references to
/// unlink.
fn webinar_inserts() -> Vec<Insert> {
    vec![insert_rows("webinars", "id, title, whatsapp_group_id, community_group_id, created_at", 12, |n| {
        let main = match n {
            1..=5 => Some(n),
            6..=8 => Some(600 + n),
            _ => None,
        };
        let community = match n {
            1 => Some(2),
            6..=8 => Some(100 + n),
            9 => Some(700),
            _ => None,
        };
        let (main, community) = (group_id_or_null(main), group_id_or_null(community));
        format!("{}, 'Webinar {n}', {main}, {community}, {}", row_id(Kind::Webinar, n), default_timestamp())
    })]
}

fn webinar_child_inserts() -> Vec<Insert> {
    vec![
        insert_rows("webinar_whatsapp_groups", "id, webinar_id, group_id, created_at", 30, |n| {
            let (webinar, group) = (row_id(Kind::Webinar, 1 + n % 12), group_id_of_row(12, 7, n));
            format!("{}, {webinar}, {group}, {}", row_id(Kind::WebinarGroup, n), default_timestamp())
        }),
        insert_rows("scheduled_webinar_messages", "id, webinar_id, group_id, body, status, scheduled_for", 60, |n| {
            let (webinar, group) = (row_id(Kind::Webinar, 1 + n % 12), group_id_of_row(21, 11, n));
            let status = if n <= 21 { "sent" } else { "pending" };
            let id = row_id(Kind::WebinarMessage, n);
            format!("{id}, {webinar}, {group}, 'Starting soon', '{status}', {}", january_timestamp(21))
        }),
    ]
}

fn message_inserts() -> Vec<Insert> {
    vec![insert_rows("scheduled_whatsapp_messages", "id, group_id, body, status, scheduled_for", 150, |n| {
        let status = match n {
            45.. => "pending",
            _ if n % 4 == 0 => "failed",
            _ => "sent",
        };
        let (id, group) = (row_id(Kind::Message, n), group_id_of_row(44, 13, n));
        format!("{id}, {group}, 'Hello', '{status}', {}", january_timestamp(22))
    })]
}

fn workshop_inserts() -> Vec<Insert> {
    vec![
        insert_rows("workshops", "id, title, whatsapp_group_id, created_at", 8, |n| {
            let group = match n {
                1..=4 => Some(n * 50),
                5 | 6 => Some(LAST_STALE_GROUP + n),
                _ => None,
            };
            format!(
                "{}, 'Workshop {n}', {}, {}",
                row_id(Kind::Workshop, n),
                group_id_or_null(group),
                default_timestamp()
            )
        }),
        insert_rows("workshop_whatsapp_groups", "id, workshop_id, group_id", 24, |n| {
            let (workshop, group) = (row_id(Kind::Workshop, 1 + n % 8), group_id_of_row(9, 17, n));
            format!("{}, {workshop}, {group}", row_id(Kind::WorkshopGroup, n))
        }),
        insert_rows("workshop_group_members", "id, workshop_id, group_id, phone", 450, |n| {
            let group = match n {
                1..=150 => Some(1 + n % LAST_STALE_GROUP),
                151..=400 => Some(LAST_STALE_GROUP + 1 + n % 200),
                _ => None,
            };
            let (id, workshop) = (row_id(Kind::Member, n), row_id(Kind::Workshop, 1 + n % 8));
            format!("{id}, {workshop}, {}, '+1555{n:07}'", group_id_or_null(group))
        }),
    ]
}

fn link_inserts() -> Vec<Insert> {
    vec![insert_rows("dynamic_links", "id, slug, target_url, whatsapp_group_id, created_at", 25, |n| {
        let group = match n {
            1..=11 => Some(n * 19),
            12..=20 => Some(LAST_STALE_GROUP + n),
            _ => None,
        };
        let (id, group) = (row_id(Kind::Link, n), group_id_or_null(group));
        format!("{id}, 'link-{n}', 'https://chat.example/{n}', {group}, {}", default_timestamp())
    })]
}
