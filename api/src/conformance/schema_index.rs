//! A schema as the rules of this folder look it up, read from its SDL.

use std::collections::HashMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{OperationType, SchemaDefinition, Type, TypeKind, TypeSystemDefinition};
use async_graphql::{Name, Positioned};
use bluejay_parser::ast::Parse as _;
use bluejay_parser::ast::definition::{DefinitionDocument, SchemaDefinition as ValidationSchema};

type FieldTypes = HashMap<String, Type>;

/// The fields of a schema's types, and the schema in the form that documents are validated against.
#[derive(Debug)]
pub struct SchemaIndex {
    fields_by_type: HashMap<String, FieldTypes>,
    roots: RootTypes,
    /// None where bluejay cannot read the SDL.
    definition: Option<ValidationSchema<'static>>,
}

/// The names of the types whose fields are the root of an operation.
#[derive(Debug)]
struct RootTypes {
    query: String,
    mutation: String,
    subscription: String,
}

impl SchemaIndex {
    /// Reads the text of a schema. A program does so once: the text stays in memory until the process ends.
    #[must_use]
    pub fn from_sdl(sdl: &str) -> Self {
        let definitions = parse_schema(sdl).map(|document| document.definitions).unwrap_or_default();
        let sdl: &'static str = Box::leak(sdl.into());
        let document = DefinitionDocument::parse(sdl).result.ok();
        // The definition borrows from the document, which borrows from the text.
        let document = document.map(|document| &*Box::leak(Box::new(document)));
        Self {
            roots: root_types(&definitions),
            fields_by_type: definitions.into_iter().filter_map(fields_of).collect(),
            definition: document.and_then(|document| ValidationSchema::try_from(document).ok()),
        }
    }

    /// Returns a field of a type, with its name; none where the schema has no such field. Fields of introspection are not in
    /// the index.
    pub(crate) fn field(&self, type_name: &str, field: &str) -> Option<(&str, &Type)> {
        self.fields_by_type.get(type_name)?.get_key_value(field).map(|(name, of)| (name.as_str(), of))
    }

    /// Returns the name of the type whose fields are the root of an operation of this kind.
    pub(crate) fn root_type(&self, operation: OperationType) -> &str {
        match operation {
            OperationType::Query => &self.roots.query,
            OperationType::Mutation => &self.roots.mutation,
            OperationType::Subscription => &self.roots.subscription,
        }
    }

    /// Returns the schema that documents are validated against.
    pub(crate) const fn definition(&self) -> Option<&ValidationSchema<'static>> {
        self.definition.as_ref()
    }
}

/// Returns the root types that a schema names; those that it does not name have their usual names.
fn root_types(definitions: &[TypeSystemDefinition]) -> RootTypes {
    let schema = definitions.iter().find_map(|definition| match definition {
        TypeSystemDefinition::Schema(schema) => Some(&schema.node),
        _ => None,
    });
    let name = |of: fn(&SchemaDefinition) -> Option<&Positioned<Name>>, usual: &str| {
        let named = schema.and_then(of);
        named.map_or_else(|| usual.to_owned(), |name| name.node.to_string())
    };
    RootTypes {
        query: name(|schema| schema.query.as_ref(), "Query"),
        mutation: name(|schema| schema.mutation.as_ref(), "Mutation"),
        subscription: name(|schema| schema.subscription.as_ref(), "Subscription"),
    }
}

/// Returns the name of an object or interface, and its fields.
fn fields_of(definition: TypeSystemDefinition) -> Option<(String, FieldTypes)> {
    let TypeSystemDefinition::Type(definition) = definition else { return None };
    let fields = match definition.node.kind {
        TypeKind::Object(object) => object.fields,
        TypeKind::Interface(interface) => interface.fields,
        _ => return None,
    };
    let fields = fields.into_iter().map(|field| (field.node.name.node.to_string(), field.node.ty.node));
    Some((definition.node.name.node.to_string(), fields.collect()))
}
