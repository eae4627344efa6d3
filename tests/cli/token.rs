//! Tests of `token`, which creates, lists and revokes access tokens, and of `serve` with and without tokens.

use std::process::Stdio;

use serde_json::{Value, json};

use super::server::Server;
use super::{document, executable, migrate_without_purge, run, run_in};
use crate::support::{TestDb, on_both};

on_both!(Mended:
    a_token_is_made_listed_and_revoked,
    what_is_wrong_is_said_and_makes_no_token,
    another_address_is_listened_on_once_there_is_a_token,
);

async fn a_token_is_made_listed_and_revoked(db: TestDb) {
    migrate_without_purge(&db).await;
    let none = run(&db, &["token", "list"]);
    assert!(none.stdout.starts_with("There are no tokens. Unless the server accepts JWTs, "), "{}", none.stdout);
    let created = run(&db, &["token", "create", "--name", "ci", "--role", "Operator"]);
    // Only the secret is on standard output, for scripts.
    let secret = created.stdout.strip_suffix('\n').unwrap();
    assert!(created.code == 0 && secret.starts_with("sadm_") && secret.len() == 48, "{}", created.stdout);
    assert!(created.stderr.starts_with("The token ci (OPERATOR) expires at "), "{}", created.stderr);
    let (code, other) =
        document(&db, &["token", "create", "--name", "boss", "--role", "admin", "--expires", "2099-12-31"]);
    assert_eq!((code, &other["role"], &other["status"]), (0, &json!("ADMIN"), &json!("ACTIVE")), "{other}");
    assert_eq!((&other["expiresAt"], other["token"].as_str().unwrap().len()), (&json!("2099-12-31T00:00:00Z"), 48));
    let (_, listed) = document(&db, &["token", "list"]);
    let text = run(&db, &["token", "list"]).stdout;
    for output in [&listed.to_string(), &text] {
        assert!(output.contains("boss") && !output.contains("sadm_") && !output.contains("hash"), "{output}");
    }
    let tokens = listed["tokens"].as_array().unwrap();
    assert_eq!((&tokens[0]["name"], &tokens[1]["name"]), (&json!("boss"), &json!("ci")));
    let used = format!(
        "UPDATE {} SET last_used_at = '2026-01-31T18:12:07.000000Z' WHERE name = 'boss'",
        db.dialect().internal_table("tokens")
    );
    assert!(text.contains("never") && !text.contains("18:12"), "{text}");
    db.exec(&used).await;
    // The last use is recorded at most once an hour, so the time is shown as a range.
    assert!(run(&db, &["token", "list"]).stdout.contains("2026-01-31 18:12–19:12 UTC"));
    let parse_time = |time: &Value| time.as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    // The expiry is computed shortly before the token is created.
    let lifetime =
        parse_time(&tokens[1]["expiresAt"]) - parse_time(&tokens[1]["createdAt"]) + chrono::TimeDelta::minutes(1);
    assert_eq!(lifetime.num_days(), 90);

    let server = Server::start(std::env::temp_dir().as_path(), &["--database-url", db.url()]);
    assert!(server.get("/metrics").starts_with("HTTP/1.1 401 "));
    assert_eq!(server.post("{ viewer { name } }")["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(server.stop(), 0);

    let revoked = run(&db, &["token", "revoke", "ci"]);
    assert_eq!((revoked.code, &*revoked.stdout), (0, "✓ Revoked ci. Its requests are refused within a minute.\n"));
    let (code, revoked) = document(&db, &["token", "revoke", other["id"].as_str().unwrap()]);
    assert_eq!((code, &revoked["status"]), (0, &json!("REVOKED")));
    assert_eq!(document(&db, &["token", "revoke", "ci"]).0, 2);
}

async fn what_is_wrong_is_said_and_makes_no_token(db: TestDb) {
    let ended = run(&db, &["token", "create", "--name", "ci", "--role", "viewer"]);
    assert!(ended.code == 1 && ended.stderr.contains("`session-admin migrate`"), "{}", ended.stderr);
    migrate_without_purge(&db).await;
    for arguments in [
        &["--name", "ci"][..],
        &["--role", "viewer"],
        &["--name", "ci", "--role", "root"],
        &["--name", "cli:ada", "--role", "viewer"],
        &["--name", "ci", "--role", "viewer", "--expires", "2020-01-01"],
        &["--name", "ci", "--role", "viewer", "--expires", "PT0S"],
        &["--name", "ci", "--role", "viewer", "--expires", "soon"],
        &["--name", "ci", "--role", "viewer", "--expires", "+10000-01-01"],
    ] {
        let (code, answer) = document(&db, &[&["token", "create"], arguments].concat());
        assert_eq!((code, &answer["error"]["code"]), (2, &json!("BAD_USER_INPUT")), "{arguments:?}");
    }
    assert_eq!(document(&db, &["token", "list"]).1, json!({ "tokens": [] }));
    let never = document(&db, &["token", "create", "--name", "ci", "--role", "viewer", "--expires", "never"]).1;
    assert_eq!(never["expiresAt"], Value::Null);
    let (code, taken) = document(&db, &["token", "create", "--name", "ci", "--role", "viewer"]);
    assert_eq!((code, &taken["error"]["code"]), (2, &json!("BAD_USER_INPUT")));
}

async fn another_address_is_listened_on_once_there_is_a_token(db: TestDb) {
    migrate_without_purge(&db).await;
    let refused = run(&db, &["serve", "--listen", "0.0.0.0:0"]);
    assert!(refused.code == 2 && refused.stderr.contains("`session-admin token create`"), "{}", refused.stderr);
    let serves = |arguments: &[&str], name: &str, value: &str| {
        let mut command = executable(&[&["serve", "--json", "--listen", "0.0.0.0:0"], arguments].concat());
        command.env("DATABASE_URL", db.url()).env(name, value).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut documents = serde_json::Deserializer::from_reader(child.stdout.take().unwrap()).into_iter::<Value>();
        let page = documents.next().unwrap().unwrap().get("page").cloned();
        child.kill().unwrap();
        child.wait().unwrap();
        page
    };
    // With JWTs configured, no token is needed to listen on another address.
    let secret = "a secret of at least thirty-two bytes";
    assert!(serves(&["--jwt-audience", "authenticated"], "SESSION_ADMIN_JWT_SECRET", secret).is_some());
    assert_eq!(serves(&[], "SESSION_ADMIN_JWT_SECRET", secret), None);
    run(&db, &["token", "create", "--name", "ci", "--role", "viewer"]);
    run(&db, &["token", "revoke", "ci"]);
    assert!(serves(&[], "USER", "tester").is_some());
}

#[test]
fn jwts_that_are_half_configured_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "too short\n").unwrap();
    for (arguments, part) in [
        (&["--jwt-issuer", "https://issuer.example"][..], "JWTs need a key: set --jwt-secret"),
        (&["--jwt-audience", "a", "--jwt-secret-file", "secret"], "at least 32 bytes"),
        (&["--jwt-audience", "a", "--jwt-secret-file", "missing"], "missing cannot be read"),
        (&["--jwt-audience", "a", "--jwt-jwks", "missing"], "missing cannot be read"),
        (&["--jwt-role", "boss"], "service_role=ADMIN"),
        (
            &["--jwt-secret", "s", "--jwt-secret-file", "secret"],
            "'--jwt-secret <SECRET>' cannot be used with '--jwt-secret-file <FILE>'",
        ),
    ] {
        let ended = run_in(folder.path(), &[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        assert!(ended.code == 2 && ended.stderr.contains(part), "{arguments:?} {}", ended.stderr);
    }
    assert!(!folder.path().join("session-admin.db").exists());
}
