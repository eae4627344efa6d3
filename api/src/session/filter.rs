//! The filter for lists of sessions and for cleanups.

use chrono::{DateTime, Utc};
use entity::whatsapp_sessions::Column;
use uuid::Uuid;

use entity::session_status::SessionStatus;

use crate::db::{BindParams, Dialect, TableColumns, text_search};

/// Conditions on sessions, all of which must hold. The default matches all sessions. A session without a time matches
/// no condition on that time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct SessionFilter {
    /// One of these ids.
    pub ids: Option<Vec<Uuid>>,
    /// One of these statuses; an empty list matches no session.
    pub statuses: Option<Vec<SessionStatus>>,
    /// Stale (not connected and never paired), or not stale.
    pub stale: Option<bool>,
    /// With or without a phone number.
    pub has_phone_number: Option<bool>,
    /// A substring of the name, the phone number or the id, ignoring case.
    pub search: Option<String>,
    /// Created before this time.
    pub created_before: Option<DateTime<Utc>>,
    /// Created after this time.
    pub created_after: Option<DateTime<Utc>>,
    /// Last updated before this time.
    pub updated_before: Option<DateTime<Utc>>,
    /// Last updated after this time.
    pub updated_after: Option<DateTime<Utc>>,
    /// Last updated before this time, or created before it if the time of the update is unknown.
    pub last_activity_before: Option<DateTime<Utc>>,
}

impl SessionFilter {
    /// Returns SQL conditions on a row `listed`, to be joined by AND.
    #[must_use]
    pub fn conditions(&self, dialect: Dialect, columns: &TableColumns, parameters: &mut BindParams) -> Vec<String> {
        let mut conditions = Vec::new();
        if let Some(ids) = &self.ids {
            let wanted = dialect.json_elements(&parameters.bind(serde_json::to_string(ids).unwrap_or_default()));
            let id = columns.cast_to_column(Column::Id, "wanted.value");
            conditions.push(format!("listed.id IN (SELECT {id} FROM {wanted} wanted)"));
        }
        conditions.extend(self.statuses.as_ref().map(|statuses| has_status(columns, statuses)));
        let never_paired = format!("{} AND listed.phone_number IS NULL", has_status(columns, &SessionStatus::STALE));
        conditions.extend(self.stale.map(|stale| format!("{}({never_paired})", if stale { "" } else { "NOT " })));
        conditions.extend(
            self.has_phone_number.map(|has| format!("listed.phone_number IS {}NULL", if has { "NOT " } else { "" })),
        );
        if let Some(part) = &self.search {
            let parameter = parameters.bind(text_search::pattern(dialect, part));
            let searched = [Column::SessionName, Column::PhoneNumber, Column::Id];
            let contains: Vec<String> = searched
                .into_iter()
                .filter_map(|column| columns.name(column))
                .map(|name| text_search::contains(dialect, &name, &parameter))
                .collect();
            conditions.push(format!("({})", contains.join(" OR ")));
        }
        let times = [
            (self.created_before, [Column::CreatedAt].as_slice(), "<"),
            (self.created_after, &[Column::CreatedAt], ">"),
            (self.updated_before, &[Column::UpdatedAt], "<"),
            (self.updated_after, &[Column::UpdatedAt], ">"),
            (self.last_activity_before, &[Column::UpdatedAt, Column::CreatedAt], "<"),
        ];
        for (time, columns_of_time, operator) in times {
            let Some(time) = time else { continue };
            let parameter = parameters.bind(dialect.timestamp_param(time));
            conditions.push(columns.compare_time(columns_of_time, operator, &parameter).unwrap_or_else(|| {
                // The statement must use the parameter, or PostgreSQL does not know its type.
                format!("({parameter} IS NULL AND 1 = 0)")
            }));
        }
        conditions
    }
}

/// Returns the condition that a session has one of these statuses; never null, even without a status.
fn has_status(columns: &TableColumns, statuses: &[SessionStatus]) -> String {
    let literals = |statuses: &mut dyn Iterator<Item = SessionStatus>| {
        let words: Vec<String> = statuses.filter_map(SessionStatus::as_raw).map(|word| format!("'{word}'")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    };
    let status = status(columns);
    let mut conditions = Vec::new();
    conditions.extend(literals(&mut statuses.iter().copied()).map(|words| format!("{status} IN ({words})")));
    if statuses.contains(&SessionStatus::Other) {
        conditions
            .extend(literals(&mut SessionStatus::KNOWN.into_iter()).map(|words| format!("{status} NOT IN ({words})")));
    }
    if conditions.is_empty() { "1 = 0".to_owned() } else { format!("({})", conditions.join(" OR ")) }
}

/// Returns the status as text, never null. An enum value can only be compared with its own labels, text with any word.
pub(super) fn status(columns: &TableColumns) -> String {
    format!("coalesce({}, '')", columns.as_text(Column::Status))
}
