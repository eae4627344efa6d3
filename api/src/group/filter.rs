//! Which groups a list has.

use entity::whatsapp_groups::Column;
use uuid::Uuid;

use crate::db::Parameters;
use crate::db::{Columns, Dialect, text_search};

/// What groups meet, all of it; nothing for all groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// One of these.
    pub ids: Option<Vec<Uuid>>,
    /// Of one of these sessions.
    pub session_ids: Option<Vec<Uuid>>,
    /// Part of the name, the messenger's address or the id, in any case.
    pub search: Option<String>,
}

impl Filter {
    /// The conditions on a row `c`, to be joined by AND.
    #[must_use]
    pub fn conditions(&self, dialect: Dialect, columns: &Columns, parameters: &mut Parameters) -> Vec<String> {
        let mut conditions = Vec::new();
        for (column, ids) in [(Column::Id, &self.ids), (Column::SessionId, &self.session_ids)] {
            let (Some(ids), Some(name)) = (ids, columns.name(column)) else { continue };
            let listed = dialect.elements(&parameters.bind(serde_json::to_string(ids).unwrap_or_default()));
            conditions
                .push(format!("{name} IN (SELECT {} FROM {listed} listed)", columns.typed(column, "listed.value")));
        }
        if let Some(part) = &self.search {
            let parameter = parameters.bind(text_search::pattern(dialect, part));
            let found: Vec<String> = [Column::GroupName, Column::GroupJid, Column::Id]
                .into_iter()
                .filter_map(|column| columns.name(column))
                .map(|name| text_search::contains(dialect, &name, &parameter))
                .collect();
            conditions.push(format!("({})", found.join(" OR ")));
        }
        conditions
    }
}
