//! The GraphQL type of a session, and counts of sessions by status.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{
    Connection, DateTime, DeletionImpact, GatewayState, Group, GroupFilter, GroupOrder, Session, TotalCount, group_part,
};
use crate::db::pagination::Page;
use crate::error::Error;
use crate::graphql::context::ContextExt as _;
use crate::graphql::execution::row_list::Row;
use crate::graphql::field_cost;
use crate::graphql::loaders::{GatewayStateById, GroupCountBySession, GroupsBySession, ImpactById};
use crate::graphql::pagination::{page_cost, page_request, projection};
use crate::session;

#[Object(use_type_description)]
impl Session {
    /// The row's own UUID.
    pub async fn id(&self) -> ID {
        self.0.id.into()
    }

    /// Where an adopted database has no name: the phone number, or the id's first eight characters.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What the session is doing.
    async fn status(&self) -> SessionStatus {
        self.0.status().into()
    }

    /// The status as it is stored, also where this API does not know it.
    async fn raw_status(&self) -> &str {
        &self.0.raw_status
    }

    /// The number of the phone that is paired; null until one has been.
    async fn phone_number(&self) -> Option<&str> {
        self.0.phone_number.as_deref()
    }

    /// Not connected and never paired: status QR_PENDING, CONNECTING or DISCONNECTED, and no phone number.
    async fn stale(&self) -> bool {
        self.0.is_stale()
    }

    /// Null where an adopted database has none.
    async fn created_at(&self) -> Option<DateTime> {
        self.0.created_at.map(DateTime)
    }

    /// When the row was last changed; null where an adopted database does not say.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime)
    }

    /// How many groups the session is in.
    async fn group_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i64> {
        let key = GroupCountBySession { session: self.0.id, filter: Arc::default() };
        Ok(ctx.loader()?.load_one(key).await?.unwrap_or_default())
    }

    /// The groups that the session is in, by name unless said.
    #[graphql(complexity = "page_cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn groups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them; all unless said.")] filter: Option<GroupFilter>,
        #[graphql(desc = "In what order; by name unless said.")] order_by: Option<GroupOrder>,
        #[graphql(desc = "The first so many nodes: 20 unless said, 100 at most.")] first: Option<i32>,
        #[graphql(desc = "Only nodes behind the one with this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many nodes, 100 at most; not together with first.")] last: Option<i32>,
        #[graphql(desc = "Only nodes before the one with this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<Connection<Group>> {
        let part = group_part(filter, order_by, page_request(ctx, first, after.as_deref(), last, before.as_deref())?)?;
        let total = TotalCount::GroupsOf(self.0.id, Arc::new(part.filter.clone()));
        let key = GroupsBySession { session: self.0.id, part: Arc::new(part), unasked: projection::<Group>(ctx) };
        let page = ctx.loader()?.load_one(key).await?.map_or(Page::empty(), Arc::unwrap_or_clone);
        Ok(Connection::new(page, total, Group))
    }

    /// What deleting this session alone would do, exactly; nothing is changed.
    #[graphql(complexity = "field_cost::IMPACT_OF_MANY + child_complexity")]
    async fn impact(&self, ctx: &Context<'_>) -> async_graphql::Result<DeletionImpact> {
        let impact = ctx.loader()?.load_one(ImpactById(self.0.id)).await?;
        let message = || format!("The session {} was deleted during this query. Try again.", self.0.id);
        Ok(impact.ok_or_else(|| Error::NotFound(message()))?.into())
    }

    /// What the WhatsApp gateway says of the session; null where no gateway is configured.
    #[graphql(complexity = "field_cost::GATEWAY + child_complexity")]
    async fn gateway(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<GatewayState>> {
        Ok(ctx.loader()?.load_one(GatewayStateById(self.0.id)).await?.map(Into::into))
    }
}

impl Row for Session {
    const SYNC_FIELDS: &'static [&'static str] =
        &["id", "name", "status", "rawStatus", "phoneNumber", "stale", "createdAt", "updatedAt"];
    const COLUMNS_BY_FIELD: &'static [(&'static str, &'static str)] =
        &[("createdAt", "created_at"), ("updatedAt", "updated_at")];
}

/// What a session is doing, as far as this API knows the word.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "session::SessionStatus")]
pub enum SessionStatus {
    /// A phone is paired and its connection is up.
    Connected,
    /// The connection is being made.
    Connecting,
    /// A QR code waits to be scanned.
    QrPending,
    /// The connection is down.
    Disconnected,
    /// A word that this API does not know; rawStatus has it.
    Other,
}

/// Sessions counted by status, and how many of them are stale.
#[derive(Debug, SimpleObject)]
pub struct SessionStats {
    /// All sessions.
    total: i64,
    /// Those that are not connected and were never paired.
    stale: i64,
    /// One for every status, also where no session has it.
    by_status: Vec<SessionStatusCount>,
}

/// The sessions of one status.
#[derive(Debug, SimpleObject)]
pub struct SessionStatusCount {
    /// The status.
    status: SessionStatus,
    /// How many sessions have it.
    count: i64,
}

impl From<Vec<(session::SessionStatus, bool, i64)>> for SessionStats {
    fn from(counted: Vec<(session::SessionStatus, bool, i64)>) -> Self {
        let sum = |counts: &dyn Fn(session::SessionStatus, bool) -> bool| {
            counted.iter().filter(|(status, stale, _)| counts(*status, *stale)).map(|(.., sessions)| sessions).sum()
        };
        let all = session::SessionStatus::KNOWN.into_iter().chain([session::SessionStatus::Other]);
        let by_status = all.map(|status| SessionStatusCount {
            status: status.into(),
            count: sum(&|candidate, _| candidate == status),
        });
        Self { total: sum(&|_, _| true), stale: sum(&|_, stale| stale), by_status: by_status.collect() }
    }
}
