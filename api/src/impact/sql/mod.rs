//! The SQL of a deletion plan: counting, locking and deleting are written on the same common table expressions, so that
//! all three mean the same rows.

pub(crate) mod changes;
pub(crate) mod count;
mod plan_sql;
mod recursive_rows;
mod row_states;
pub(crate) mod shape;

pub use plan_sql::{MESSAGES, PlanSql, row_id_name, row_id_names};
