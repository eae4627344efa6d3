//! Tests of the impact.

mod property;
