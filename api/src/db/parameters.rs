//! Bind parameters of a statement that is put together from parts.

use sea_orm::Value;

/// The values that a statement binds, in the order of their numbers.
#[derive(Debug, Clone, Default)]
pub struct BindParams(Vec<Value>);

impl BindParams {
    /// Adds a value and returns its placeholder (`$1`, `$2`, …).
    pub fn bind(&mut self, value: impl Into<Value>) -> String {
        self.0.push(value.into());
        format!("${}", self.0.len())
    }

    /// Returns the values in the order of their numbers.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.0
    }
}
