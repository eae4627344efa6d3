//! The thirteen business tables, one file a table: rows and relations, no behaviour.
//!
//! The relations declare the rules of deletion as they should be. Which rules a database has now, its own catalogue says;
//! [`declared_references`] is what schema health compares it with. An adopted database may lack any table but
//! `whatsapp_sessions` and `whatsapp_groups`, and any column that is not needed to find and delete a session, so whoever
//! reads one builds the select from the columns that are there.

pub mod dynamic_links;
mod id;
pub mod notification_campaign_groups;
pub mod notification_campaigns;
mod reference;
pub mod scheduled_webinar_messages;
pub mod scheduled_whatsapp_messages;
pub mod session_status;
pub mod webinar_whatsapp_groups;
pub mod webinars;
pub mod whatsapp_group_admins;
pub mod whatsapp_groups;
pub mod whatsapp_sessions;
pub mod workshop_group_members;
pub mod workshop_whatsapp_groups;
pub mod workshops;

pub use id::Id;
pub use reference::{DeclaredReference, OnDelete, declared_references};
pub use session_status::SessionStatus;

/// The names of the thirteen tables, each after those that it references.
pub const BUSINESS_TABLES: [&str; 13] = [
    "whatsapp_sessions",
    "whatsapp_groups",
    "whatsapp_group_admins",
    "notification_campaigns",
    "notification_campaign_groups",
    "webinars",
    "webinar_whatsapp_groups",
    "scheduled_webinar_messages",
    "scheduled_whatsapp_messages",
    "workshops",
    "workshop_whatsapp_groups",
    "workshop_group_members",
    "dynamic_links",
];
