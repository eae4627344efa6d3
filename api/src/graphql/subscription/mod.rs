//! The subscription root.

mod cleanup;

use async_graphql::MergedSubscription;

/// Following what goes on; nothing here changes anything.
#[derive(MergedSubscription, Default)]
pub struct Subscription(cleanup::CleanupSubscription);
