//! Tests that every root field is allowed for exactly the roles that suffice.

use std::collections::BTreeSet;

use api::auth::Role;
use api::graphql::{required_role, sdl};
use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{OperationType, TypeKind, TypeSystemDefinition};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{app, count_rows, create_expired_token, create_revoked_token, create_token, send_query};
use crate::http::app::TestApp;
use crate::http::websocket::{Client, serving};
use crate::support::{TestDb, on_both};

on_both!(Adopted: each_field_is_for_those_whose_role_is_enough, each_subscription_is_for_those_whose_role_is_enough);

const ID: &str = "00000000-0000-4000-8000-00000000dead";

/// A document for each query field. No object has the id that they ask for.
const QUERIES: [(&str, &str); 14] = [
    ("viewer", "{ viewer { role } }"),
    ("node", "query Q($id: ID!) { node(id: $id) { id } }"),
    ("session", "query Q($id: ID!) { session(id: $id) { id } }"),
    ("sessions", "{ sessions { totalCount } }"),
    ("sessionStats", "{ sessionStats { total } }"),
    ("group", "query Q($id: ID!) { group(id: $id) { id } }"),
    ("groups", "{ groups { totalCount } }"),
    ("deletionImpact", "query Q($id: ID!) { deletionImpact(sessionIds: [$id]) { rowsDeleted } }"),
    ("cleanupPreview", "{ cleanupPreview { sessionCount } }"),
    ("deletion", "query Q($id: ID!) { deletion(id: $id) { id } }"),
    ("deletions", "{ deletions { totalCount } }"),
    ("cleanupRun", "query Q($id: ID!) { cleanupRun(id: $id) { id } }"),
    ("cleanupRuns", "{ cleanupRuns { totalCount } }"),
    ("schemaHealth", "{ schemaHealth { healthy } }"),
];
/// A document for each mutation. Each changes nothing, because its id or its criteria match nothing.
const MUTATIONS: [(&str, &str); 6] = [
    ("deleteSession", "mutation M($id: ID!) { deleteSession(input: { id: $id }) { userErrors { code } } }"),
    ("cleanUpSessions", "mutation { cleanUpSessions(input: { criteria: { ids: [] } }) { userErrors { code } } }"),
    ("cancelCleanupRun", "mutation M($id: ID!) { cancelCleanupRun(input: { id: $id }) { userErrors { code } } }"),
    ("restoreDeletion", "mutation M($id: ID!) { restoreDeletion(input: { id: $id }) { userErrors { code } } }"),
    ("restoreCleanupRun", "mutation M($id: ID!) { restoreCleanupRun(input: { id: $id }) { userErrors { code } } }"),
    (
        "eraseDeletionArchive",
        "mutation M($id: ID!) { eraseDeletionArchive(input: { id: $id }) { userErrors { code } } }",
    ),
];
/// A document for each subscription.
const SUBSCRIPTIONS: [(&str, &str); 1] =
    [("cleanupRun", "subscription S($id: ID!) { cleanupRun(id: $id) { status } }")];

/// Returns the fields of a root type, from the SDL.
fn fields(name: &str) -> BTreeSet<String> {
    let definitions = parse_schema(sdl()).unwrap().definitions;
    let object = definitions.into_iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(Positioned { node, .. }) if node.name.node == name => match node.kind {
            TypeKind::Object(object) => Some(object),
            _ => None,
        },
        _ => None,
    });
    object.unwrap().fields.into_iter().map(|field| field.node.name.node.to_string()).collect()
}

#[test]
fn every_field_has_a_role_and_a_row_in_the_matrix() {
    let rows = |rows: &[(&str, &str)]| rows.iter().map(|(field, _)| (*field).to_owned()).collect::<BTreeSet<_>>();
    for (name, kind, rows) in [
        ("Query", OperationType::Query, rows(&QUERIES)),
        ("Mutation", OperationType::Mutation, rows(&MUTATIONS)),
        ("Subscription", OperationType::Subscription, rows(&SUBSCRIPTIONS)),
    ] {
        let fields = fields(name);
        assert_eq!(fields, rows, "{name}: a new field needs a row above, and a role in api/src/graphql/field_roles.rs");
        for field in &fields {
            let role =
                required_role(kind, field).unwrap_or_else(|| panic!("{name}.{field} has no role in field_roles.rs"));
            assert!(kind != OperationType::Mutation || role >= Role::Operator, "{name}.{field} changes something");
        }
        assert_eq!(required_role(kind, "nothing"), None);
    }
    assert_eq!(required_role(OperationType::Mutation, "eraseDeletionArchive"), Some(Role::Admin));
    for field in ["__schema", "__type", "__typename"] {
        assert_eq!(required_role(OperationType::Query, field), Some(Role::Viewer));
    }
}

/// Returns each kind of credential with the role that it gives, if any.
async fn credentials(db: &TestDb) -> Vec<(Option<String>, Option<Role>)> {
    let mut credentials = vec![
        (None, None),
        (Some(format!("sadm_{}", "A".repeat(43))), None),
        (Some(create_revoked_token(db, "revoked", Role::Admin).await.expose().to_owned()), None),
        (Some(create_expired_token(db, "expired", Role::Admin).await.expose().to_owned()), None),
    ];
    for role in Role::ALL {
        credentials.push((Some(create_token(db, role.name(), role).await.expose().to_owned()), Some(role)));
    }
    credentials
}

async fn assert_access(app: &TestApp, token_text: Option<&str>, role: Option<Role>, needed: Role, query: &str) {
    let answer = send_query(app, token_text, query, json!({ "id": ID })).await;
    let code = || answer.json()["errors"][0]["extensions"]["code"].clone();
    match role {
        None => {
            assert_eq!((answer.status, code()), (StatusCode::UNAUTHORIZED, json!("UNAUTHENTICATED")), "{query}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer realm="), "{query}");
        }
        Some(role) if role < needed => {
            assert_eq!((answer.status, code()), (StatusCode::FORBIDDEN, json!("FORBIDDEN")), "{query} {role}");
            let challenge = "Bearer realm=\"session-admin\", error=\"insufficient_scope\"";
            assert_eq!(answer.header("www-authenticate"), Some(challenge), "{query} {role}");
            assert_eq!(answer.json().get("data"), None, "{query} {role}");
        }
        Some(role) => {
            assert_eq!(answer.status, StatusCode::OK, "{query} {role}: {}", answer.body);
            let code = code();
            assert!(code == Value::Null || code == "BAD_USER_INPUT", "{query} {role}: {}", answer.body);
        }
    }
}

async fn each_field_is_for_those_whose_role_is_enough(db: TestDb) {
    let credentials = credentials(&db).await;
    let before = count_rows(&db).await;
    let app = app(db.clone(), None).await;
    for (token_text, role) in &credentials {
        for (field, query) in QUERIES {
            assert_access(
                &app,
                token_text.as_deref(),
                *role,
                required_role(OperationType::Query, field).unwrap(),
                query,
            )
            .await;
        }
        for (field, query) in MUTATIONS {
            assert_access(
                &app,
                token_text.as_deref(),
                *role,
                required_role(OperationType::Mutation, field).unwrap(),
                query,
            )
            .await;
        }
        let introspection = "{ __schema { queryType { name } } __type(name: \"Session\") { name } }";
        assert_access(&app, token_text.as_deref(), *role, Role::Viewer, introspection).await;
    }
    assert_eq!(count_rows(&db).await, before);
}

async fn each_subscription_is_for_those_whose_role_is_enough(db: TestDb) {
    let credentials = credentials(&db).await;
    let address = serving(super::state(&db, None).await).await;
    for (token_text, role) in &credentials {
        for (field, query) in SUBSCRIPTIONS {
            let mut client = Client::open(address).await;
            let payload =
                token_text.as_ref().map(|token_text| json!({ "Authorization": format!("Bearer {token_text}") }));
            client.init(payload).await;
            let Some(role) = role else {
                assert_eq!(client.closed().await.0, 4403, "{query}");
                continue;
            };
            assert_eq!(client.hear().await, json!({ "type": "connection_ack" }), "{query}");
            client.subscribe("1", query, json!({ "id": ID })).await;
            let answer = client.hear().await.to_string();
            let forbidden = *role < required_role(OperationType::Subscription, field).unwrap();
            assert_eq!(answer.contains("FORBIDDEN"), forbidden, "{query} {role}: {answer}");
            assert_eq!(answer.contains("No cleanup run has the id"), !forbidden, "{query} {role}: {answer}");
        }
    }
}
