//! Registering single collectors.

use prometheus::core::Collector;
use prometheus::{IntGauge, Registry};

/// Registers a gauge that holds one value.
pub(super) fn gauge(registry: &Registry, name: &str, help: &str, value: i64) -> prometheus::Result<()> {
    register(registry, IntGauge::new(name, help)?)?.set(value);
    Ok(())
}

/// Registers a collector and returns a handle on it.
pub(super) fn register<T: Collector + Clone + 'static>(registry: &Registry, collector: T) -> prometheus::Result<T> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
