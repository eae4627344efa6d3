//! The thirteen business tables as sea-orm entities, one file per table, without behaviour.
//!
//! The entities declare the expected foreign keys and ON DELETE actions. Schema health compares [`declared_references`]
//! with the database's catalog. An adopted database may lack any table except `whatsapp_sessions` and
//! `whatsapp_groups`, and any column that is not needed to find and delete a session. Queries therefore select only
//! columns that exist.

// The fields are the tables' columns. Columns with self-explanatory names have no documentation.
#![allow(missing_docs)]

mod business_tables;
mod declared_reference;
pub mod dynamic_links;
mod id;
pub mod notification_campaign_groups;
pub mod notification_campaigns;
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

pub use business_tables::BUSINESS_TABLES;
pub use declared_reference::{DeclaredReference, OnDelete, declared_references};
pub use id::Id;
pub use session_status::SessionStatus;
