//! The fields of the schema's types, as its own text has them.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{Type, TypeKind, TypeSystemDefinition};

type Fields = HashMap<String, Type>;

/// A field of a type, with its name; none where the schema has no such field. Those of introspection are not in it.
pub(crate) fn field(of: &str, name: &str) -> Option<(&'static str, &'static Type)> {
    static TYPES: LazyLock<HashMap<String, Fields>> = LazyLock::new(|| {
        let definitions = parse_schema(crate::graphql::sdl()).map(|document| document.definitions).unwrap_or_default();
        definitions.into_iter().filter_map(fields).collect()
    });
    TYPES.get(of)?.get_key_value(name).map(|(name, of)| (name.as_str(), of))
}

/// The type's name and its fields, if it has any.
fn fields(definition: TypeSystemDefinition) -> Option<(String, Fields)> {
    let TypeSystemDefinition::Type(definition) = definition else { return None };
    let fields = match definition.node.kind {
        TypeKind::Object(object) => object.fields,
        TypeKind::Interface(interface) => interface.fields,
        _ => return None,
    };
    let fields = fields.into_iter().map(|field| (field.node.name.node.to_string(), field.node.ty.node));
    Some((definition.node.name.node.to_string(), fields.collect()))
}
