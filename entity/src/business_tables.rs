//! The names of the business tables.

/// The names of the thirteen business tables. A table comes after the tables that it references.
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
