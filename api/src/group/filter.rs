//! The filter for lists of groups.

use entity::whatsapp_groups::Column;
use uuid::Uuid;

use crate::db::{BindParams, Dialect, TableColumns, text_search};

/// Conditions on groups, all of which must hold. The default matches all groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct GroupFilter {
    /// One of these ids.
    pub ids: Option<Vec<Uuid>>,
    /// One of these sessions.
    pub session_ids: Option<Vec<Uuid>>,
    /// A substring of the name, the messenger's address or the id, ignoring case.
    pub search: Option<String>,
}

impl GroupFilter {
    /// Returns SQL conditions on a row `listed`, to be joined by AND.
    #[must_use]
    pub fn conditions(&self, dialect: Dialect, columns: &TableColumns, parameters: &mut BindParams) -> Vec<String> {
        let mut conditions = Vec::new();
        for (column, ids) in [(Column::Id, &self.ids), (Column::SessionId, &self.session_ids)] {
            let (Some(ids), Some(name)) = (ids, columns.name(column)) else { continue };
            let wanted = dialect.json_elements(&parameters.bind(serde_json::to_string(ids).unwrap_or_default()));
            conditions.push(format!(
                "{name} IN (SELECT {} FROM {wanted} wanted)",
                columns.cast_to_column(column, "wanted.value")
            ));
        }
        if let Some(part) = &self.search {
            let parameter = parameters.bind(text_search::pattern(dialect, part));
            let contains: Vec<String> = [Column::GroupName, Column::GroupJid, Column::Id]
                .into_iter()
                .filter_map(|column| columns.name(column))
                .map(|name| text_search::contains(dialect, &name, &parameter))
                .collect();
            conditions.push(format!("({})", contains.join(" OR ")));
        }
        conditions
    }
}
