//! The selections of an operation as a tree of response keys, with fragments spread and fields of one key merged.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, SelectionSet, Type};

use crate::conformance::schema_index::SchemaIndex;
use crate::conformance::visit::{Fragments, fields_at_root};

/// The selections at one position of a response, or at that of each item of a list.
#[derive(Debug, Default)]
pub(crate) struct SelectionTree<'a> {
    /// The fields of the object there by their response keys, in the order of the query.
    pub fields: IndexMap<&'a str, SelectionTree<'a>>,
    /// The places in the query that ask for the position's own field; there may be several.
    occurrences: Vec<Occurrence<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct Occurrence<'a> {
    field: &'a Field,
    /// The type that the nearest fragment names; none where it is the type of the object.
    type_condition: Option<&'a str>,
}

impl<'a> SelectionTree<'a> {
    /// Returns the tree of the selection sets that apply to one object.
    pub fn from_sets(sets: &[&'a SelectionSet], fragments: &'a Fragments) -> Self {
        let mut tree = Self::default();
        for set in sets {
            fields_at_root(set, fragments, |field, type_condition| {
                let position = tree.fields.entry(&field.response_key().node).or_default();
                position.occurrences.push(Occurrence { field, type_condition });
            });
        }
        for position in tree.fields.values_mut() {
            let sets: Vec<_> = position.occurrences.iter().map(|place| &place.field.selection_set.node).collect();
            position.fields = Self::from_sets(&sets, fragments).fields;
        }
        tree
    }

    /// Returns the type of the position's field in an object of the type `parent`. Validation has made sure that the field
    /// may be null in all occurrences or in none.
    pub fn field_type<'s>(&self, parent: &str, schema: &'s SchemaIndex) -> Option<&'s Type> {
        let mut occurrences = self.occurrences.iter();
        occurrences
            .find_map(|place| schema.field(place.type_condition.unwrap_or(parent), &place.field.name.node))
            .map(|(_, field_type)| field_type)
    }
}
