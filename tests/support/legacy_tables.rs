//! A description of the demonstration's thirteen business tables, from which the DDL of both dialects is rendered.
//!
//! It is independent of the migrations, so that tests can check them against it.

/// A column's type, independent of the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Uuid,
    Text,
    Integer,
    Timestamp,
}

/// The default value of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    None,
    NewUuid,
    Now,
    /// A SQL literal valid in both dialects.
    Literal(&'static str),
}

#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub nullable: bool,
    pub default: Default,
    pub unique: bool,
    /// The table whose `id` the column references.
    pub refers_to: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub name: &'static str,
    /// The columns. The first one is the primary key.
    pub columns: &'static [Column],
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: false, default: Default::None, unique: false, refers_to: None }
}

const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}

const fn text_or(name: &'static str, literal: &'static str) -> Column {
    Column { default: Default::Literal(literal), ..text(name) }
}

const fn nullable(column: Column) -> Column {
    Column { nullable: true, ..column }
}

const fn time(name: &'static str) -> Column {
    column(name, Kind::Timestamp)
}

const fn reference(name: &'static str, table: &'static str) -> Column {
    Column { refers_to: Some(table), ..column(name, Kind::Uuid) }
}

const ID: Column = Column { default: Default::NewUuid, ..column("id", Kind::Uuid) };
const CREATED_AT: Column = Column { default: Default::Now, ..time("created_at") };
const UPDATED_AT: Column = Column { default: Default::Now, ..time("updated_at") };
const GROUP_ID: Column = reference("group_id", "whatsapp_groups");
const WHATSAPP_GROUP_ID: Column = nullable(reference("whatsapp_group_id", "whatsapp_groups"));

/// The tables, each after those that it references.
pub const TABLES: &[Table] = &[
    Table {
        name: "whatsapp_sessions",
        columns: &[
            ID,
            text("session_name"),
            text_or("status", "'connecting'"),
            nullable(text("phone_number")),
            CREATED_AT,
            UPDATED_AT,
        ],
    },
    Table {
        name: "whatsapp_groups",
        columns: &[
            ID,
            reference("session_id", "whatsapp_sessions"),
            text("group_jid"),
            text("group_name"),
            Column { default: Default::Literal("0"), ..column("participant_count", Kind::Integer) },
            CREATED_AT,
            UPDATED_AT,
        ],
    },
    Table { name: "whatsapp_group_admins", columns: &[ID, GROUP_ID, text("phone"), CREATED_AT] },
    Table { name: "notification_campaigns", columns: &[ID, text("name"), CREATED_AT] },
    Table {
        name: "notification_campaign_groups",
        columns: &[
            ID,
            reference("campaign_id", "notification_campaigns"),
            GROUP_ID,
            text_or("status", "'sent'"),
            nullable(time("sent_at")),
        ],
    },
    Table {
        name: "webinars",
        columns: &[
            ID,
            text("title"),
            WHATSAPP_GROUP_ID,
            nullable(reference("community_group_id", "whatsapp_groups")),
            nullable(time("starts_at")),
            CREATED_AT,
        ],
    },
    Table {
        name: "webinar_whatsapp_groups",
        columns: &[ID, reference("webinar_id", "webinars"), GROUP_ID, CREATED_AT],
    },
    Table {
        name: "scheduled_webinar_messages",
        columns: &[
            ID,
            reference("webinar_id", "webinars"),
            GROUP_ID,
            text("body"),
            text_or("status", "'pending'"),
            time("scheduled_for"),
        ],
    },
    Table {
        name: "scheduled_whatsapp_messages",
        columns: &[ID, GROUP_ID, text("body"), text_or("status", "'pending'"), time("scheduled_for")],
    },
    Table {
        name: "workshops",
        columns: &[ID, text("title"), WHATSAPP_GROUP_ID, nullable(time("starts_at")), CREATED_AT],
    },
    Table { name: "workshop_whatsapp_groups", columns: &[ID, reference("workshop_id", "workshops"), GROUP_ID] },
    Table {
        name: "workshop_group_members",
        columns: &[ID, reference("workshop_id", "workshops"), nullable(GROUP_ID), text("phone")],
    },
    Table {
        name: "dynamic_links",
        columns: &[ID, Column { unique: true, ..text("slug") }, text("target_url"), WHATSAPP_GROUP_ID, CREATED_AT],
    },
];
