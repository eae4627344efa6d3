//! The root of an operation. The library leaves a field of it that fails out of the answer; by GraphQL's rules it is null,
//! and where it must not be null there is no data at all.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
};

use super::share::Share;

/// What happens at the root of one request.
#[derive(Debug)]
pub(super) struct AtRoot {
    pub share: Arc<Share>,
    /// A field failed that must not be null.
    failed: AtomicBool,
}

impl AtRoot {
    pub fn new(share: Arc<Share>) -> Self {
        Self { share, failed: AtomicBool::new(false) }
    }

    /// Whether nothing is left of the data.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

/// The fields of `T`, as the root of an operation.
#[derive(Debug, Default)]
pub struct Root<T>(T);

impl<T: ObjectType> ContainerType for Root<T> {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        let Some(root) = ctx.data_opt::<Arc<AtRoot>>() else { return self.0.resolve_field(ctx).await };
        let _place = root.share.field().await;
        match self.0.resolve_field(ctx).await {
            Err(error) if may_be_null::<T>(ctx) => {
                ctx.add_error(error);
                Ok(Some(Value::Null))
            }
            Err(error) => {
                root.failed.store(true, Ordering::Relaxed);
                Err(error)
            }
            resolved => resolved,
        }
    }
}

fn may_be_null<T: OutputType>(ctx: &Context<'_>) -> bool {
    let of_root = ctx.schema_env.registry.types.get(T::type_name().as_ref());
    let field = of_root.and_then(|root| root.field_by_name(ctx.item.node.name.node.as_str()));
    field.is_some_and(|field| !field.ty.ends_with('!'))
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
