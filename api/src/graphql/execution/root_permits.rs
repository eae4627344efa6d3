//! The root type of an operation, each field of which waits for one of the request's read permits.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
};

use crate::graphql::RequestContext;

/// The fields of `T` as the root of an operation.
#[derive(Debug, Default)]
pub struct Root<T>(T);

impl<T: ObjectType> ContainerType for Root<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let reads = ctx.data_opt::<RequestContext>().and_then(|context| context.permit().query_permits());
        let Some(reads) = reads else { return self.0.resolve_field(ctx).await };
        let _permit = reads.root_field().await;
        self.0.resolve_field(ctx).await
    }
}

impl<T: ObjectType> OutputType for Root<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        self.0.resolve(ctx, field).await
    }
}

impl<T: ObjectType> ObjectType for Root<T> {}
