//! Tests of authentication with JWTs from another issuer.

use std::time::Duration;

use api::auth::{AuthError, Authenticator, JwtSettings, JwtVerifier, Role, RoleNames};
use api::clock::Clock;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use ring::{hmac, signature};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{VIEWER, app, create_token, query_viewer, send_query};
use crate::support::{Contents, TestDb, on_both};

on_both!(Adopted: a_jwt_is_good_besides_tokens, with_jwts_configured_everybody_needs_one);

const SECRET: &str = "a secret of at least thirty-two bytes";

/// The modulus of an RSA key whose private half is lost.
const RSA: &str = "1Wnw-uV0Bcvb-T_N9ORolkBQ3CmHj7JySOeKaCf6QN-hHVIXh5sISuP2zgVL0R_wqt2XEI1kVGB4SboeTwqNJAQYhyySED0XIrpfmWppGiPFbwvtper83MKqtnjZlyXHOVDsTjWgLGB7hlJAG5vqEba4J-Ong9nV4p4wHxfwJWsgGnvIrBi-2YUZWRzErTXpjKhEVhMdmmf3gOxVB_NCT6_MToEMp1MQ3yOhIhk_Yhq4dq5WBnXvmWHCYtpie6D-EZgWIs-Gavxe40MGw7IGvn2Pkui8WB_GX9mCzP1vV4tCR1TUpiNeqEI1vsLuU5_xrvVR1XdsVPSI6Wkb_BLsZQ";
/// The header, the claims and the signature of a token that was signed with the key of [`RSA`] and expires in 2100.
const RS256: [&str; 3] = [
    "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6InJzYSJ9",
    "eyJzdWIiOiJhZGEiLCJyb2xlIjoib3BlcmF0b3IiLCJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoiYXV0aGVudGljYXRlZCIsImV4cCI6NDEwMjQ0NDgwMH0",
    "ibO-f7v5AY1m9ChjTwM-lo1SQsiWDMoD4bwW8UsxZqd8m_LscwxPP8XFKudSRvwhBmqe-v_qglGxeFli6B5FcoWifEYtZjgn1_dtBHQ0iFjx2v8_-xU-YT44wP_7b4Qwhu1FNK17IdDGT3lAUKpZ7aWpqKDQU7Vsm1YlodDhMX5tuNNfrqfgHY1ga97DAtUoaBUvpJ6XbFAHhpnhx9PhVm_JkImxf-Td4A-geavTFm71bGbfzunMe0gaUx5BW3ct6gp0gaeFVZOWzY36RJ-ITetGiYZkAhrA5sTktgphRb8wRStLoRFWVUmHqpj3fzvfQVuBLV82xNrSbC6ajMu-YQ",
];

fn encode(text: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

fn sign_hs256(header: &Value, claims: &Value, secret: &str) -> String {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), message.as_bytes());
    format!("{message}.{}", encode(signature))
}

/// Returns a signed token with valid claims and these changes. A null removes a claim.
fn token_with(claims: &Value) -> String {
    sign_hs256(&json!({ "alg": "HS256", "typ": "JWT" }), &valid_claims(claims), SECRET)
}

fn valid_claims(changed: &Value) -> Value {
    let now = Clock::System.now().timestamp();
    let mut claims = json!({
        "sub": "ada", "role": "operator", "iss": "https://issuer.example", "aud": "authenticated", "exp": now + 60
    });
    for (claim, value) in changed.as_object().unwrap() {
        claims[claim] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn settings() -> JwtSettings {
    JwtSettings {
        secret: Some(SECRET.to_owned()),
        issuer: Some("https://issuer.example".to_owned()),
        audience: Some("authenticated".to_owned()),
        ..JwtSettings::default()
    }
}

async fn authenticator_with(settings: JwtSettings) -> (TestDb, Authenticator) {
    let db = TestDb::sqlite(Contents::Empty).await;
    let authenticator = Authenticator::new(db.database().await.clone(), Some(JwtVerifier::new(settings).unwrap()));
    (db, authenticator)
}

/// Returns the name and the role of the principal with this token, or `None` if it is invalid.
async fn identify(authenticator: &Authenticator, token: &str) -> Option<(String, Role)> {
    match authenticator.authenticate(Some(token)).await {
        Ok(principal) => principal.map(|principal| (principal.name().to_owned(), principal.role())),
        Err(AuthError::Invalid) => None,
        Err(other) => panic!("{other:?}"),
    }
}

fn ada(role: Role) -> (String, Role) {
    ("jwt:ada".to_owned(), role)
}

async fn a_jwt_is_good_besides_tokens(db: TestDb) {
    let secret = create_token(&db, "ada", Role::Admin).await;
    let app = app(db.clone(), Some(JwtVerifier::new(settings()).unwrap())).await;
    assert_eq!(query_viewer(&app, &token_with(&json!({}))).await, ("jwt:ada".to_owned(), "OPERATOR".to_owned()));
    assert_eq!(query_viewer(&app, secret.expose()).await, ("ada".to_owned(), "ADMIN".to_owned()));
    let answer = send_query(&app, Some(&token_with(&json!({ "role": "authenticated" }))), VIEWER, json!({})).await;
    assert_eq!((answer.status, answer.error().0.as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    assert!(answer.error().1.starts_with("The token's claim role has no word that stands for a role."));
    let challenge = "Bearer realm=\"session-admin\", error=\"insufficient_scope\"";
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
}

async fn with_jwts_configured_everybody_needs_one(db: TestDb) {
    let app = app(db.clone(), Some(JwtVerifier::new(settings()).unwrap())).await;
    assert_eq!(send_query(&app, None, VIEWER, json!({})).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whom_a_token_is_of_and_for_and_until_when_is_checked() {
    let (_db, authenticator) = authenticator_with(settings()).await;
    let now = Clock::System.now().timestamp();
    for claims in [
        json!({}),
        json!({ "aud": ["something", "authenticated"] }),
        json!({ "nbf": now, "iat": now }),
        json!({ "exp": now - 20 }),
        json!({ "exp": 4_102_444_800.5 }),
    ] {
        assert_eq!(identify(&authenticator, &token_with(&claims)).await, Some(ada(Role::Operator)), "{claims}");
    }
    for claims in [
        json!({ "iss": "https://other.example" }),
        json!({ "iss": null }),
        json!({ "iss": ["https://issuer.example", "https://other.example"] }),
        json!({ "aud": "anon" }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "exp": now - 40 }),
        json!({ "exp": null }),
        json!({ "exp": "2100-01-01" }),
        json!({ "exp": (now + 60).to_string() }),
        json!({ "exp": 1e300 }),
        json!({ "nbf": now + 100 }),
        json!({ "nbf": "soon" }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": 7 }),
        json!({ "sub": "a\nb" }),
        json!({ "sub": " " }),
        json!({ "sub": "a\u{202e}b" }),
        json!({ "sub": "x".repeat(201) }),
    ] {
        assert_eq!(identify(&authenticator, &token_with(&claims)).await, None, "{claims}");
    }
}

#[tokio::test]
async fn only_what_is_configured_is_a_signature() {
    let (_db, authenticator) = authenticator_with(settings()).await;
    let claims = valid_claims(&json!({}));
    assert_eq!(
        identify(
            &authenticator,
            &sign_hs256(&json!({ "alg": "HS256" }), &claims, "another secret of thirty-two bytes")
        )
        .await,
        None
    );
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "None" }),
        json!({ "alg": "HS512" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "ES256", "kid": "x" }),
        json!({ "alg": "HS256", "crit": ["exp"] }),
        json!({}),
    ] {
        assert_eq!(identify(&authenticator, &sign_hs256(&header, &claims, SECRET)).await, None, "{header}");
    }
    let token = token_with(&json!({}));
    let (message, _) = token.rsplit_once('.').unwrap();
    for broken in
        [format!("{message}."), message.to_owned(), format!("{token}."), format!("{token}x"), "a.b.c".to_owned()]
    {
        assert_eq!(identify(&authenticator, &broken).await, None, "{broken}");
    }
}

#[tokio::test]
async fn the_role_is_where_the_configuration_says_and_in_its_words() {
    let role_names =
        |texts: &[&str]| RoleNames::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    let (_db, supabase) = authenticator_with(JwtSettings {
        role_claim: "/app_metadata/session_admin_role".to_owned(),
        name_claim: "email".to_owned(),
        roles: role_names(&["support=operator", "boss=ADMIN"]).unwrap(),
        ..settings()
    })
    .await;
    for (role, expected) in [
        (json!("support"), Some(Role::Operator)),
        (json!("boss"), Some(Role::Admin)),
        (json!(["support", "boss", 7]), Some(Role::Admin)),
        (json!("Boss"), None),
        (json!("admin"), None),
        (json!(["admin"]), None),
        (json!(true), None),
        (json!(null), None),
    ] {
        // Claims that users can write themselves, such as `user_metadata`, are ignored.
        let claims = json!({
            "role": "admin", "email": "ada@example.com", "app_metadata": { "session_admin_role": role },
            "user_metadata": { "session_admin_role": "boss" }
        });
        let found = supabase.authenticate(Some(&token_with(&claims))).await;
        match expected {
            Some(role) => {
                let principal = found.unwrap().unwrap();
                assert_eq!((principal.name(), principal.role()), ("jwt:ada@example.com", role));
            }
            None => assert!(matches!(found, Err(AuthError::NoRole(_))), "{claims} {found:?}"),
        }
    }
    let (_db, plain) = authenticator_with(settings()).await;
    assert_eq!(identify(&plain, &token_with(&json!({ "role": "Admin" }))).await, Some(ada(Role::Admin)));
    for wrong in ["boss", "=ADMIN", "boss=root", ""] {
        assert!(role_names(&[wrong]).is_err(), "{wrong}");
    }
}

/// Generates an ES256 key and its public JWK.
fn generate_es256_key() -> (EcdsaKeyPair, Value) {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let point = pair.public_key().as_ref();
    let jwk =
        json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]), "use": "sig" });
    (pair, jwk)
}

fn sign_es256(pair: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature: signature::Signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", encode(signature))
}

fn with_key_id(mut jwk: Value, id: &str) -> Value {
    jwk["kid"] = json!(id);
    jwk
}

fn write_key_file(keys: &[Value]) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
    (folder, file)
}

fn key_file_settings(file: &std::path::Path) -> JwtSettings {
    JwtSettings { secret: None, key_file: Some(file.to_owned()), ..settings() }
}

#[tokio::test]
async fn keys_are_those_of_the_file_by_their_ids() {
    let rsa = json!({ "kty": "RSA", "n": RSA, "e": "AQAB", "alg": "RS256", "kid": "rsa" });
    let ((pair, jwk), (stranger, _)) = (generate_es256_key(), generate_es256_key());
    let (_folder, file) =
        write_key_file(&[rsa, with_key_id(jwk, "ec"), json!({ "kty": "oct", "k": encode(SECRET), "kid": "oct" })]);
    let (_db, authenticator) = authenticator_with(key_file_settings(&file)).await;
    let claims = valid_claims(&json!({}));
    let ec = |header: Value| sign_es256(&pair, &header, &claims);
    assert_eq!(identify(&authenticator, &ec(json!({ "alg": "ES256", "kid": "ec" }))).await, Some(ada(Role::Operator)));
    assert_eq!(identify(&authenticator, &RS256.join(".")).await, Some(ada(Role::Operator)));
    // A header without a key id selects the only key of the algorithm.
    assert_eq!(identify(&authenticator, &ec(json!({ "alg": "ES256" }))).await, Some(ada(Role::Operator)));
    for header in [
        json!({ "alg": "ES256", "kid": "unknown" }),
        json!({ "alg": "ES256", "kid": "rsa" }),
        json!({ "alg": "RS256", "kid": "ec" }),
        json!({ "alg": "ES384", "kid": "ec" }),
    ] {
        assert_eq!(identify(&authenticator, &ec(header.clone())).await, None, "{header}");
    }
    assert_eq!(
        identify(&authenticator, &sign_es256(&stranger, &json!({ "alg": "ES256", "kid": "ec" }), &claims)).await,
        None
    );
    // Public keys must not serve as HS256 secrets, nor secrets in a file of public keys.
    for (kid, secret) in [("rsa", RSA), ("oct", SECRET), ("ec", SECRET)] {
        assert_eq!(
            identify(&authenticator, &sign_hs256(&json!({ "alg": "HS256", "kid": kid }), &claims, secret)).await,
            None,
            "{kid}"
        );
    }
    // A signature is invalid for other claims.
    let [header, _, signature] = RS256;
    let forged = valid_claims(&json!({ "role": "admin", "exp": 4_102_444_800_i64 }));
    assert_eq!(identify(&authenticator, &format!("{header}.{}.{signature}", encode(forged.to_string()))).await, None);
}

#[tokio::test]
async fn the_one_key_of_an_algorithm_needs_no_id() {
    let ((pair, jwk), (_, other)) = (generate_es256_key(), generate_es256_key());
    let token = sign_es256(&pair, &json!({ "alg": "ES256" }), &valid_claims(&json!({})));
    for (keys, expected) in [(vec![jwk.clone()], Some(ada(Role::Operator))), (vec![jwk, other], None)] {
        let (_folder, file) = write_key_file(&keys);
        let (_db, authenticator) = authenticator_with(key_file_settings(&file)).await;
        assert_eq!(identify(&authenticator, &token).await, expected);
    }
}

#[tokio::test]
async fn a_file_that_has_changed_is_read_again_and_a_broken_one_changes_nothing() {
    let ((old, old_jwk), (new, new_jwk)) = (generate_es256_key(), generate_es256_key());
    let (_folder, file) = write_key_file(&[with_key_id(old_jwk, "old")]);
    let interval = Duration::from_millis(20);
    let (_db, authenticator) =
        authenticator_with(JwtSettings { keys_read_every: interval, ..key_file_settings(&file) }).await;
    let claims = valid_claims(&json!({}));
    let old_token = sign_es256(&old, &json!({ "alg": "ES256", "kid": "old" }), &claims);
    let new_token = sign_es256(&new, &json!({ "alg": "ES256", "kid": "new" }), &claims);
    for broken in ["", "{}", "{\"keys\": []}"] {
        std::fs::write(&file, broken).unwrap();
        tokio::time::sleep(2 * interval).await;
        assert_eq!(identify(&authenticator, &old_token).await, Some(ada(Role::Operator)), "{broken}");
    }
    std::fs::write(&file, json!({ "keys": [with_key_id(new_jwk, "new")] }).to_string()).unwrap();
    tokio::time::sleep(2 * interval).await;
    assert_eq!(identify(&authenticator, &new_token).await, Some(ada(Role::Operator)));
    assert_eq!(identify(&authenticator, &old_token).await, None);
}

#[test]
fn settings_that_would_let_strangers_in_are_refused() {
    let (_folder, empty) = write_key_file(&[]);
    for (wrong, part) in [
        (JwtSettings { secret: None, ..settings() }, "JWTs need a key: set --jwt-secret"),
        (
            JwtSettings { issuer: None, audience: None, ..settings() },
            "JWTs need an issuer or an audience: set --jwt-issuer",
        ),
        (JwtSettings { secret: Some("short".to_owned()), ..settings() }, "at least 32 bytes"),
        (key_file_settings(&empty), "has no public key for RS256 or ES256"),
        (key_file_settings(std::path::Path::new("/nowhere/jwks.json")), "/nowhere/jwks.json cannot be read"),
    ] {
        let error = JwtVerifier::new(wrong).unwrap_err();
        assert!(error.code() == "BAD_USER_INPUT" && error.to_string().contains(part), "{error}");
    }
    for one in [JwtSettings { issuer: None, ..settings() }, JwtSettings { audience: None, ..settings() }] {
        JwtVerifier::new(one).unwrap();
    }
    assert!(!format!("{:?} {:?}", settings(), JwtVerifier::new(settings()).unwrap()).contains("thirty-two"));
}
