//! The fields of mutations, one file for each subject.

mod cleanup;
mod deletion;
mod restore;

use async_graphql::MergedObject;

/// Changing: for the role OPERATOR, where a field does not say ADMIN. What a caller can act on comes back as userErrors; anything else is a GraphQL error with a code.
#[derive(MergedObject, Default)]
pub struct Mutation(deletion::DeletionMutation, cleanup::CleanupMutation, restore::RestoreMutation);
