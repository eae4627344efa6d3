//! Tests of the impact of a deletion.

mod generated_sql;
mod property;
