//! Sessions.

use async_graphql::dataloader::DataLoader;
use async_graphql::{ComplexObject, Context, Description, Enum, ID, Object, SimpleObject};

use super::{DateTime, DeletionImpact, PageInfo};
use crate::error::Error;
use crate::graphql::loaders::ImpactLoader;
use crate::graphql::rows::{Row, Rows};
use crate::graphql::state::ContextExt as _;
use crate::graphql::{cursor, limits};
use crate::session::{self, read};

/// A row of `whatsapp_sessions`: one WhatsApp connection.
#[derive(Debug, Clone, Description)]
pub struct Session(pub session::Session);

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
        self.0.stale()
    }

    /// Null where an adopted database has none.
    async fn created_at(&self) -> Option<DateTime> {
        self.0.created_at.map(DateTime)
    }

    /// When the row was last changed; null where an adopted database does not say.
    async fn updated_at(&self) -> Option<DateTime> {
        self.0.updated_at.map(DateTime)
    }

    /// What deleting this session alone would do, exactly; nothing is changed.
    #[graphql(complexity = "limits::IMPACT_OF_MANY + child_complexity")]
    async fn impact(&self, ctx: &Context<'_>) -> async_graphql::Result<DeletionImpact> {
        let loader = ctx
            .data_opt::<DataLoader<ImpactLoader>>()
            .ok_or_else(|| Error::Unsuitable("The schema was executed without its loaders.".to_owned()))?;
        let impact = loader.load_one(self.0.id).await?;
        let gone = || Error::BadInput(format!("The session {} was deleted while this query ran.", self.0.id));
        Ok(impact.ok_or_else(gone)?.into())
    }
}

impl Row for Session {
    const AT_HAND: &'static [&'static str] =
        &["id", "name", "status", "rawStatus", "phoneNumber", "stale", "createdAt", "updatedAt"];
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

/// A page of sessions.
#[derive(Debug, SimpleObject)]
#[graphql(complex)]
pub struct SessionConnection {
    /// The sessions with their cursors.
    edges: Vec<SessionEdge>,
    /// Where the page stands in the list.
    page_info: PageInfo,
}

/// A session on a page.
#[derive(Debug, SimpleObject)]
pub struct SessionEdge {
    /// Its place in the list, to start another page from.
    cursor: String,
    /// The session.
    node: Session,
}

impl TryFrom<read::Page> for SessionConnection {
    type Error = Error;

    fn try_from(page: read::Page) -> Result<Self, Error> {
        let edge = |(position, session)| Ok(SessionEdge { cursor: cursor::encode(&position)?, node: Session(session) });
        let edges = page.sessions.into_iter().map(edge).collect::<Result<Vec<_>, Error>>()?;
        let page_info = PageInfo {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        Ok(Self { edges, page_info })
    }
}

#[ComplexObject]
impl SessionConnection {
    /// The sessions.
    async fn nodes(&self) -> Rows<'_, Session> {
        Rows(self.edges.iter().map(|edge| &edge.node).collect())
    }

    /// How many sessions the whole list has.
    async fn total_count(&self, ctx: &Context<'_>) -> async_graphql::Result<i64> {
        Ok(read::count(ctx.state()?.database()).await?)
    }
}
