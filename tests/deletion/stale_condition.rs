//! Tests that a session selected as stale is deleted only if it is still stale, and only if its age is known.

use api::deletion::DeletionRequest;
use api::refusal::RefusalCode;
use api::session::SessionFilter;
use api::session::queries::find_matching_ids;
use chrono::{DateTime, TimeDelta, Utc};

use super::{OTHER, STALE, assert_refused, delete_sessions, id, request};
use crate::support::{TestDb, on_both, only};

on_both!(Adopted: a_session_that_somebody_paired_meanwhile_stays);
only!(sqlite Adopted: a_time_counts_in_whatever_form_it_is_written);

fn current_time() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn stale_filter() -> SessionFilter {
    SessionFilter { stale: Some(true), last_activity_before: Some(current_time()), ..SessionFilter::default() }
}

async fn a_session_that_somebody_paired_meanwhile_stays(db: TestDb) {
    let both = vec![id(STALE), id(OTHER)];
    let wanted = DeletionRequest { session_ids: both, must_meet: Some(stale_filter()), ..request(STALE) };
    db.exec(&format!("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE id = '{}'", id(OTHER))).await;
    let refusal = assert_refused(&db, &wanted).await;
    assert_eq!(refusal.code, RefusalCode::NoLongerMatches);
    assert!(refusal.message.contains(&id(OTHER).to_string()) && !refusal.message.contains(&id(STALE).to_string()));
    delete_sessions(db.database().await, &DeletionRequest { session_ids: vec![id(STALE)], ..wanted }).await;
}

async fn a_time_counts_in_whatever_form_it_is_written(db: TestDb) {
    // Texts that sort before the canonical form of the cutoff time, and numbers of two kinds.
    let younger = ["2026-11-21 13:00:00", "2026-11-21T13:00:00Z", "2026-11-21 15:00:00 +02:00", "", "soon"];
    let older = ["2026-11-21 11:00:00", "2026-11-21T11:59:59.999+00:00", "2026-11-21 13:00:00+02:00"];
    let set = async |value: String| {
        db.exec(&format!("UPDATE whatsapp_sessions SET updated_at = {value} WHERE id = '{}'", id(STALE))).await;
        let database = db.database().await;
        find_matching_ids(database.pool(), database, &stale_filter(), None).await.unwrap().contains(&id(STALE))
    };
    for text in younger {
        assert!(!set(format!("'{text}'")).await, "{text:?} was taken for older");
    }
    for text in older {
        assert!(set(format!("'{text}'")).await, "{text:?} was taken for younger");
    }
    let now = current_time() + TimeDelta::hours(1);
    for number in [now.timestamp(), now.timestamp_millis(), 0] {
        assert!(!set(number.to_string()).await, "the number {number} was taken for a time");
    }
}
