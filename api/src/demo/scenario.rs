//! The data of a deployment in trouble: 14 sessions, of which 9 are stale with 580 groups and 37 campaign references,
//! and 5 are connected with 40 groups each. Every value is computed here from constants, so that plain SQL text is safe
//! and two loads are equal byte for byte.

use crate::db::{Dialect, quote};

/// A session of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its status.
    pub status: &'static str,
    /// Its phone number; none until paired.
    pub phone_number: Option<&'static str>,
    /// How many groups it has.
    pub groups: u32,
}

const fn stale_session(id: &'static str, name: &'static str, status: &'static str, groups: u32) -> Session {
    Session { id, name, status, phone_number: None, groups }
}

const fn connected_session(id: &'static str, name: &'static str, phone_number: &'static str) -> Session {
    Session { id, name, status: "connected", phone_number: Some(phone_number), groups: 40 }
}

/// The sessions: groups 1 to 580 belong to the stale ones, 581 to 780 to the connected ones, in this order.
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

/// How many of [`SESSIONS`], from the first on, are stale.
pub const STALE_SESSIONS: usize = 9;

/// The last group of a stale session; the groups behind it are the connected sessions'.
const LAST_STALE_GROUP: u32 = 580;

/// What has an id that is made here, by the number that the id begins with.
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

/// The statements that fill the thirteen tables, parents first. `schema` is PostgreSQL's, where the tables are not in
/// the first one of the search path.
#[must_use]
pub fn statements(dialect: Dialect, schema: Option<&str>) -> Vec<String> {
    let prefix = match (dialect, schema) {
        (Dialect::Postgres, Some(schema)) => format!("{}.", quote(schema)),
        _ => String::new(),
    };
    [sessions(), groups(), admins(), campaigns(), webinars(), webinar_children(), messages(), workshops(), link_rows()]
        .into_iter()
        .flatten()
        .map(|insert| {
            format!("INSERT INTO {prefix}{} ({}) VALUES\n{}", insert.table, insert.columns, insert.rows.join(",\n"))
        })
        .collect()
}

/// The rows of one table.
struct Insert {
    table: &'static str,
    columns: &'static str,
    rows: Vec<String>,
}

/// One row for each number from 1 to `count`.
fn insert(table: &'static str, columns: &'static str, count: u32, row: impl Fn(u32) -> String) -> Insert {
    Insert { table, columns, rows: (1..=count).map(|n| format!("({})", row(n))).collect() }
}

fn id(kind: Kind, n: u32) -> String {
    format!("'{:08x}-0000-4000-8000-{n:012}'", kind as u32)
}

fn group(n: u32) -> String {
    id(Kind::Group, n)
}

fn maybe_group(n: Option<u32>) -> String {
    n.map_or_else(|| "NULL".to_owned(), group)
}

/// The first rows point at stale groups, `step` apart, the others at connected sessions'.
fn group_of_row(last: u32, step: u32, n: u32) -> String {
    group(if n <= last { n * step } else { LAST_STALE_GROUP + n })
}

/// Midnight of a day of January 2026, as both databases read it.
fn january(day: u32) -> String {
    format!("'2026-01-{day:02}T00:00:00+00:00'")
}

/// When everything was made that has no time of its own to tell.
fn default_time() -> String {
    january(5)
}

fn sessions() -> Vec<Insert> {
    let row = |(day, session): (u32, &Session)| {
        let phone = session.phone_number.map_or_else(|| "NULL".to_owned(), |phone| format!("'{phone}'"));
        let (Session { id, name, status, .. }, at) = (session, january(day));
        format!("('{id}', '{name}', '{status}', {phone}, {at}, {at})")
    };
    vec![Insert {
        table: "whatsapp_sessions",
        columns: "id, session_name, status, phone_number, created_at, updated_at",
        rows: (6..).zip(&SESSIONS).map(row).collect(),
    }]
}

fn groups() -> Vec<Insert> {
    let owners = (6..).zip(&SESSIONS).flat_map(|(day, session)| (0..session.groups).map(move |_| (day, session.id)));
    let row = |(n, (day, session)): (u32, (u32, &str))| {
        let (participants, at) = (10 + (n * 37) % 900, january(day));
        format!("({}, '{session}', '1203630000{n:08}@g.us', 'Group {n}', {participants}, {at}, {at})", group(n))
    };
    vec![Insert {
        table: "whatsapp_groups",
        columns: "id, session_id, group_jid, group_name, participant_count, created_at, updated_at",
        rows: (1..).zip(owners).map(row).collect(),
    }]
}

fn admins() -> Vec<Insert> {
    vec![insert("whatsapp_group_admins", "id, group_id, phone, created_at", 1000, |n| {
        format!("{}, {}, '+1556{n:07}', {}", id(Kind::Admin, n), group(1 + n % 780), default_time())
    })]
}

fn campaigns() -> Vec<Insert> {
    vec![
        insert("notification_campaigns", "id, name, created_at", 10, |n| {
            format!("{}, 'Campaign {n}', {}", id(Kind::Campaign, n), default_time())
        }),
        insert("notification_campaign_groups", "id, campaign_id, group_id, status, sent_at", 100, |n| {
            let (campaign, group) = (id(Kind::Campaign, 1 + n % 10), group_of_row(37, 15, n));
            format!("{}, {campaign}, {group}, 'sent', {}", id(Kind::CampaignGroup, n), january(20))
        }),
    ]
}

/// Webinar 1 points at stale groups through both columns: one row, two references to clear.
fn webinars() -> Vec<Insert> {
    vec![insert("webinars", "id, title, whatsapp_group_id, community_group_id, created_at", 12, |n| {
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
        let (main, community) = (maybe_group(main), maybe_group(community));
        format!("{}, 'Webinar {n}', {main}, {community}, {}", id(Kind::Webinar, n), default_time())
    })]
}

fn webinar_children() -> Vec<Insert> {
    vec![
        insert("webinar_whatsapp_groups", "id, webinar_id, group_id, created_at", 30, |n| {
            let (webinar, group) = (id(Kind::Webinar, 1 + n % 12), group_of_row(12, 7, n));
            format!("{}, {webinar}, {group}, {}", id(Kind::WebinarGroup, n), default_time())
        }),
        insert("scheduled_webinar_messages", "id, webinar_id, group_id, body, status, scheduled_for", 60, |n| {
            let (webinar, group) = (id(Kind::Webinar, 1 + n % 12), group_of_row(21, 11, n));
            let status = if n <= 21 { "sent" } else { "pending" };
            let id = id(Kind::WebinarMessage, n);
            format!("{id}, {webinar}, {group}, 'Starting soon', '{status}', {}", january(21))
        }),
    ]
}

fn messages() -> Vec<Insert> {
    vec![insert("scheduled_whatsapp_messages", "id, group_id, body, status, scheduled_for", 150, |n| {
        let status = match n {
            45.. => "pending",
            _ if n % 4 == 0 => "failed",
            _ => "sent",
        };
        let (id, group) = (id(Kind::Message, n), group_of_row(44, 13, n));
        format!("{id}, {group}, 'Hello', '{status}', {}", january(22))
    })]
}

fn workshops() -> Vec<Insert> {
    vec![
        insert("workshops", "id, title, whatsapp_group_id, created_at", 8, |n| {
            let group = match n {
                1..=4 => Some(n * 50),
                5 | 6 => Some(LAST_STALE_GROUP + n),
                _ => None,
            };
            format!("{}, 'Workshop {n}', {}, {}", id(Kind::Workshop, n), maybe_group(group), default_time())
        }),
        insert("workshop_whatsapp_groups", "id, workshop_id, group_id", 24, |n| {
            let (workshop, group) = (id(Kind::Workshop, 1 + n % 8), group_of_row(9, 17, n));
            format!("{}, {workshop}, {group}", id(Kind::WorkshopGroup, n))
        }),
        insert("workshop_group_members", "id, workshop_id, group_id, phone", 450, |n| {
            let group = match n {
                1..=150 => Some(1 + n % LAST_STALE_GROUP),
                151..=400 => Some(LAST_STALE_GROUP + 1 + n % 200),
                _ => None,
            };
            let (id, workshop) = (id(Kind::Member, n), id(Kind::Workshop, 1 + n % 8));
            format!("{id}, {workshop}, {}, '+1555{n:07}'", maybe_group(group))
        }),
    ]
}

fn link_rows() -> Vec<Insert> {
    vec![insert("dynamic_links", "id, slug, target_url, whatsapp_group_id, created_at", 25, |n| {
        let group = match n {
            1..=11 => Some(n * 19),
            12..=20 => Some(LAST_STALE_GROUP + n),
            _ => None,
        };
        let (id, group) = (id(Kind::Link, n), maybe_group(group));
        format!("{id}, 'link-{n}', 'https://chat.example/{n}', {group}, {}", default_time())
    })]
}
