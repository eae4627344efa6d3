//! A session picked because it is stale goes only if it still is, and only if it can be told how long it has been.

use api::deletion::DeletionRequest;
use api::refusal::RefusalCode;
use api::session::SessionFilter;
use api::session::queries::find_matching_ids;
use chrono::{DateTime, TimeDelta, Utc};

use super::{OTHER, STALE, deleted, id, refused, request};
use crate::support::{TestDb, on_both, only};

on_both!(Adopted: a_session_that_somebody_paired_meanwhile_stays);
only!(sqlite Adopted: a_time_counts_in_whatever_form_it_is_written);

fn moment() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn stale() -> SessionFilter {
    SessionFilter { stale: Some(true), last_activity_before: Some(moment()), ..SessionFilter::default() }
}

async fn a_session_that_somebody_paired_meanwhile_stays(db: TestDb) {
    let both = vec![id(STALE), id(OTHER)];
    let wanted = DeletionRequest { session_ids: both, must_meet: Some(stale()), ..request(STALE) };
    db.exec(&format!("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE id = '{}'", id(OTHER))).await;
    let refusal = refused(&db, &wanted).await;
    assert_eq!(refusal.code, RefusalCode::NoLongerMatches);
    assert!(refusal.message.contains(&id(OTHER).to_string()) && !refusal.message.contains(&id(STALE).to_string()));
    deleted(db.database().await, &DeletionRequest { session_ids: vec![id(STALE)], ..wanted }).await;
}

async fn a_time_counts_in_whatever_form_it_is_written(db: TestDb) {
    // Text that sorts before the moment's own form, and numbers of two kinds.
    let younger = ["2026-11-21 13:00:00", "2026-11-21T13:00:00Z", "2026-11-21 15:00:00 +02:00", "", "soon"];
    let older = ["2026-11-21 11:00:00", "2026-11-21T11:59:59.999+00:00", "2026-11-21 13:00:00+02:00"];
    let set = async |value: String| {
        db.exec(&format!("UPDATE whatsapp_sessions SET updated_at = {value} WHERE id = '{}'", id(STALE))).await;
        let database = db.database().await;
        find_matching_ids(database.pool(), database, &stale(), None).await.unwrap().contains(&id(STALE))
    };
    for text in younger {
        assert!(!set(format!("'{text}'")).await, "{text:?} was taken for older");
    }
    for text in older {
        assert!(set(format!("'{text}'")).await, "{text:?} was taken for younger");
    }
    let now = moment() + TimeDelta::hours(1);
    for number in [now.timestamp(), now.timestamp_millis(), 0] {
        assert!(!set(number.to_string()).await, "the number {number} was taken for a time");
    }
}
