//! Corrections of async-graphql's responses.

pub(crate) mod field_order;
pub(crate) mod null_propagation;
pub(crate) mod selection_tree;
