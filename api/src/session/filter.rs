//! Which sessions a list has, or a cleanup takes.

use chrono::{DateTime, Utc};
use entity::whatsapp_sessions::Column;
use uuid::Uuid;

use super::SessionStatus;
use crate::db::Parameters;
use crate::db::{Columns, Dialect, text_search};

/// What sessions meet, all of it; nothing for all sessions. A row without a time meets no condition on that time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// One of these.
    pub ids: Option<Vec<Uuid>>,
    /// In one of these states; an empty list is met by none.
    pub statuses: Option<Vec<SessionStatus>>,
    /// Not connected and never paired, or the contrary.
    pub stale: Option<bool>,
    /// With or without a phone number.
    pub has_phone_number: Option<bool>,
    /// Part of the name, the phone number or the id, in any case.
    pub search: Option<String>,
    /// Made before.
    pub created_before: Option<DateTime<Utc>>,
    /// Made after.
    pub created_after: Option<DateTime<Utc>>,
    /// Last changed before.
    pub updated_before: Option<DateTime<Utc>>,
    /// Last changed after.
    pub updated_after: Option<DateTime<Utc>>,
    /// Last changed before, or made before where it is not known when it was changed.
    pub unchanged_since: Option<DateTime<Utc>>,
}

impl Filter {
    /// The conditions on a row `c`, to be joined by AND.
    #[must_use]
    pub fn conditions(&self, dialect: Dialect, columns: &Columns, parameters: &mut Parameters) -> Vec<String> {
        let mut conditions = Vec::new();
        if let Some(ids) = &self.ids {
            let listed = dialect.elements(&parameters.bind(serde_json::to_string(ids).unwrap_or_default()));
            let id = columns.typed(Column::Id, "listed.value");
            conditions.push(format!("c.id IN (SELECT {id} FROM {listed} listed)"));
        }
        conditions.extend(self.statuses.as_ref().map(|statuses| in_state(columns, statuses)));
        let never_paired = format!("{} AND c.phone_number IS NULL", in_state(columns, &SessionStatus::STALE));
        conditions.extend(self.stale.map(|stale| format!("{}({never_paired})", if stale { "" } else { "NOT " })));
        conditions.extend(
            self.has_phone_number.map(|has| format!("c.phone_number IS {}NULL", if has { "NOT " } else { "" })),
        );
        if let Some(part) = &self.search {
            let parameter = parameters.bind(text_search::pattern(dialect, part));
            let named = [Column::SessionName, Column::PhoneNumber, Column::Id];
            let found: Vec<String> = named
                .into_iter()
                .filter_map(|column| columns.name(column))
                .map(|name| text_search::contains(dialect, &name, &parameter))
                .collect();
            conditions.push(format!("({})", found.join(" OR ")));
        }
        let times = [
            (self.created_before, [Column::CreatedAt].as_slice(), "<"),
            (self.created_after, &[Column::CreatedAt], ">"),
            (self.updated_before, &[Column::UpdatedAt], "<"),
            (self.updated_after, &[Column::UpdatedAt], ">"),
            (self.unchanged_since, &[Column::UpdatedAt, Column::CreatedAt], "<"),
        ];
        for (moment, of, than) in times {
            let Some(moment) = moment else { continue };
            let parameter = parameters.bind(dialect.time(moment));
            conditions.push(columns.compared(of, than, &parameter).unwrap_or_else(|| {
                // The parameter has to stand somewhere, or PostgreSQL does not know its type.
                format!("({parameter} IS NULL AND 1 = 0)")
            }));
        }
        conditions
    }
}

/// True or false, also for a row without a status.
fn in_state(columns: &Columns, statuses: &[SessionStatus]) -> String {
    let list = |statuses: &mut dyn Iterator<Item = SessionStatus>| {
        let words: Vec<String> = statuses.filter_map(SessionStatus::as_raw).map(|word| format!("'{word}'")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    };
    let status = status(columns);
    let mut any = Vec::new();
    any.extend(list(&mut statuses.iter().copied()).map(|words| format!("{status} IN ({words})")));
    if statuses.contains(&SessionStatus::Other) {
        any.extend(list(&mut SessionStatus::KNOWN.into_iter()).map(|words| format!("{status} NOT IN ({words})")));
    }
    if any.is_empty() { "1 = 0".to_owned() } else { format!("({})", any.join(" OR ")) }
}

/// The status as text, never null: an enum's words compare with no others.
pub(super) fn status(columns: &Columns) -> String {
    format!("coalesce({}, '')", columns.as_text(Column::Status))
}
