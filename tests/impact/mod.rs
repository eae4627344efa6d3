//! Tests of the impact.

mod generated_sql;
mod property;
