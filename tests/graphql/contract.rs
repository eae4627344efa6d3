//! What the schema has of the public contract, it has exactly: types, arguments, defaults and descriptions.

use std::collections::BTreeMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition};

/// What is promised of one name: its type and default as they are written, and its description.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Promise {
    written: String,
    description: Option<String>,
}

/// Every name of a schema, such as `Query`, `Query.session` or `Query.session(id)`.
fn promises(sdl: &str) -> BTreeMap<String, Promise> {
    let mut promises = BTreeMap::new();
    for definition in parse_schema(sdl).unwrap().definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let (name, definition) = (definition.node.name.node.to_string(), definition.node);
        let mut promise = |place: String, written: String, description: Option<String>| {
            promises.insert(place, Promise { written, description });
        };
        let kind = match definition.kind {
            TypeKind::Scalar => "scalar".to_owned(),
            TypeKind::Object(object) => {
                object.fields.into_iter().for_each(|field| of_field(&name, field.node, &mut promise));
                let names: Vec<_> = object.implements.iter().map(|name| name.node.to_string()).collect();
                format!("type {}", names.join(" & "))
            }
            TypeKind::Interface(interface) => {
                interface.fields.into_iter().for_each(|field| of_field(&name, field.node, &mut promise));
                "interface".to_owned()
            }
            TypeKind::Union(_) => "union".to_owned(),
            TypeKind::Enum(values) => {
                for value in values.values {
                    let description = value.node.description.map(|text| text.node);
                    promise(format!("{name}.{}", value.node.value.node), "value".to_owned(), description);
                }
                "enum".to_owned()
            }
            TypeKind::InputObject(input) => {
                for field in input.fields {
                    of_input(format!("{name}.{}", field.node.name.node), field.node, &mut promise);
                }
                "input".to_owned()
            }
        };
        promise(name, kind, definition.description.map(|text| text.node));
    }
    promises
}

fn of_field(kind: &str, field: FieldDefinition, promise: &mut impl FnMut(String, String, Option<String>)) {
    let place = format!("{kind}.{}", field.name.node);
    promise(place.clone(), field.ty.node.to_string(), field.description.map(|text| text.node));
    for argument in field.arguments {
        of_input(format!("{place}({})", argument.node.name.node), argument.node, promise);
    }
}

fn of_input(place: String, input: InputValueDefinition, promise: &mut impl FnMut(String, String, Option<String>)) {
    let default = input.default_value.map(|value| format!(" = {}", value.node)).unwrap_or_default();
    promise(place, format!("{}{default}", input.ty.node), input.description.map(|text| text.node));
}

/// Arguments that are left out change nothing for those who do not send them.
fn ours_and_theirs() -> Option<(BTreeMap<String, Promise>, BTreeMap<String, Promise>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/contract.graphql");
    let contract = std::fs::read_to_string(path).ok()?;
    Some((promises(&api::graphql::sdl()), promises(&contract)))
}

#[test]
fn what_the_contract_names_is_as_it_says() {
    let Some((ours, theirs)) = ours_and_theirs() else {
        return crate::support::skip_comparison("the contract is not beside the repository");
    };
    for (name, promised) in &theirs {
        let Some(kept) = ours.get(name) else { continue };
        assert_eq!(kept.written, promised.written, "{name}");
        if promised.description.is_some() {
            assert_eq!(kept.description, promised.description, "{name}");
        }
    }
}

#[test]
fn what_the_contract_does_not_name_is_the_usual_shape_of_connections() {
    let Some((ours, theirs)) = ours_and_theirs() else {
        return crate::support::skip_comparison("the contract is not beside the repository");
    };
    let more: Vec<_> = ours
        .keys()
        .filter(|name| !theirs.contains_key(*name))
        .filter(|name| {
            let of = name.split('.').next().unwrap();
            of != "PageInfo" && !of.ends_with("Connection") && !of.ends_with("Edge")
        })
        .collect();
    // The contract wants the audit record to say that the gateway could not be asked, the impact which table cannot be
    // restored, a run what it has put back and a dry run what the run would leave, and names no fields for it.
    let extra = [
        "CleanUpSessionsPayload.sessionsSkipped",
        "CleanUpSessionsPayload.skipped",
        "CleanUpSessionsPayload.wouldGo",
        "CleanupPreview.sessionsSkipped",
        "CleanupPreview.skipped",
        "CleanupRun.rowsRestored",
        "CleanupRun.sessionsRestored",
        "DeletedSession.gateway",
        "TableImpact.restorable",
    ];
    assert_eq!(more, extra);
}
