//! Tests that the schema supports introspection, and that the schema file is up to date.

use serde_json::{Value, json};

use crate::http::app::TestApp;

const TYPES: &str = "{ __schema { types { kind name description
    fields { name description args { name description } }
    inputFields { name description }
    enumValues { name description } } } }";

#[tokio::test]
async fn everything_has_a_description() {
    let data = TestApp::without_data().await.data(TYPES, json!({})).await;
    let mut bare = Vec::new();
    for kind in list(&data["__schema"]["types"]).filter(|kind| is_own_type(kind)) {
        let name = kind["name"].as_str().unwrap();
        record_if_undescribed(&mut bare, name.to_owned(), kind);
        for members in ["fields", "inputFields", "enumValues"] {
            for member in list(&kind[members]) {
                let place = format!("{name}.{}", member["name"].as_str().unwrap());
                record_if_undescribed(&mut bare, place.clone(), member);
                for argument in list(&member["args"]) {
                    record_if_undescribed(
                        &mut bare,
                        format!("{place}({})", argument["name"].as_str().unwrap()),
                        argument,
                    );
                }
            }
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:#?}");
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn is_own_type(kind: &Value) -> bool {
    let name = kind["name"].as_str().unwrap();
    !name.starts_with("__") && !["Int", "Float", "String", "Boolean", "ID"].contains(&name)
}

fn record_if_undescribed(bare: &mut Vec<String>, place: String, described: &Value) {
    if described["description"].as_str().is_none_or(|text| text.trim().is_empty()) {
        bare.push(place);
    }
}

#[test]
fn the_file_of_the_schema_is_up_to_date() {
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../schema.graphql")).unwrap_or_default();
    assert!(
        file == api::graphql::sdl(),
        "schema.graphql is not what the code says; `make schema` (`session-admin schema > schema.graphql`) prints it anew"
    );
}

#[test]
fn the_file_of_the_schema_can_be_parsed() {
    async_graphql::parser::parse_schema(api::graphql::sdl()).unwrap();
}
