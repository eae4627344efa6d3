//! The GraphQL type of a group, and the rows that refer to it.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{DateTime, ForeignKeyAction, Group, Session};
use crate::error::Error;
use crate::graphql::context::ContextExt as _;
use crate::graphql::execution::row_list::Row;
use crate::graphql::field_cost;
use crate::graphql::loaders::{ReferencesByGroup, SessionById};
use crate::group::reference_counts::ReferenceCount;

#[Object(use_type_description)]
impl Group {
    /// The row's own UUID.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Null, like participantCount and the timestamps, where an adopted database has none.
    async fn jid(&self) -> Option<&str> {
        self.0.jid.as_deref()
    }

    /// Where an adopted database has no name: the jid, or the id's first eight characters.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// People in the group, as last counted.
    async fn participant_count(&self) -> Option<i64> {
        self.0.participant_count
    }

    /// When the row was made.
    async fn created_at(&self) -> Option<DateTime> {
        self.0.created_at.map(DateTime)
    }

    /// When the row was last changed.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime)
    }

    /// The session that the group belongs to.
    async fn session(&self, ctx: &Context<'_>) -> async_graphql::Result<Session> {
        let session = match self.0.session_id {
            Some(session) => ctx.loader()?.load_one(SessionById(session)).await?,
            None => None,
        };
        Ok(Session(session.ok_or_else(|| self.orphan_error())?))
    }

    /// Rows elsewhere that point at this group, by table and column; columns with none are left out.
    #[graphql(complexity = "field_cost::REFERENCES + child_complexity")]
    async fn references(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<GroupReference>> {
        let references = ctx.loader()?.load_one(ReferencesByGroup(self.0.id)).await?;
        Ok(references.unwrap_or_default().into_iter().map(Into::into).collect())
    }
}

impl Group {
    fn orphan_error(&self) -> Error {
        Error::IncompatibleDatabase(format!(
            "The group {} belongs to no existing session. `session-admin doctor` shows how to repair such rows.",
            self.0.id
        ))
    }
}

impl Row for Group {
    const SYNC_FIELDS: &'static [&'static str] = &["id", "jid", "name", "participantCount", "createdAt", "updatedAt"];
    const COLUMNS_BY_FIELD: &'static [(&'static str, &'static str)] =
        &[("session", "session_id"), ("jid", "group_jid"), ("createdAt", "created_at"), ("updatedAt", "updated_at")];
}

/// Rows that point at a group by the same column. Where foreign keys of different rules share a column, there is one of these for each rule.
#[derive(Debug, SimpleObject)]
pub struct GroupReference {
    /// The table whose rows point at the group: bare in the business schema, schema.name elsewhere.
    table: String,
    /// The column that does; of a key of several columns all, with commas between.
    column: String,
    /// What the foreign key does when the group is deleted.
    on_delete: ForeignKeyAction,
    /// How many rows do.
    rows: i64,
}

impl From<ReferenceCount> for GroupReference {
    fn from(reference: ReferenceCount) -> Self {
        Self {
            table: reference.table,
            column: reference.column,
            on_delete: reference.on_delete.into(),
            rows: reference.rows,
        }
    }
}
