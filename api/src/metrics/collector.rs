//! Functions that register a single collector.

use prometheus::core::Collector;
use prometheus::{IntGauge, Registry};

/// Registers a gauge with one value.
pub(super) fn register_gauge(registry: &Registry, name: &str, help: &str, value: i64) -> prometheus::Result<()> {
    register(registry, IntGauge::new(name, help)?)?.set(value);
    Ok(())
}

/// Registers a collector and returns a handle to it.
pub(super) fn register<T: Collector + Clone + 'static>(registry: &Registry, collector: T) -> prometheus::Result<T> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
