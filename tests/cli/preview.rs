//! Tests of the text output of a preview.

use super::run;
use crate::support::{Contents, TestDb};

const STALE: &str = "303d5044-0000-4000-8000-000000000001";

/// Replaces the token by an ellipsis.
fn without_token(text: &str) -> String {
    text.lines().map(|line| if line.starts_with("Token: ") { "Token: …" } else { line }).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn sqlite_a_preview_reads_well() {
    let db = TestDb::sqlite(Contents::Mended).await;
    let ended = run(&db, &["impact", STALE]);
    insta::assert_snapshot!(without_token(&ended.stdout), @r"
    What deleting 1 session does:

    ┌──────────────────────────────┬─────────┬──────────┬─────────────────────────────────────────────────┐
    │ Table                        ┆ Deleted ┆ Unlinked ┆ Reached through                                 │
    ╞══════════════════════════════╪═════════╪══════════╪═════════════════════════════════════════════════╡
    │ whatsapp_sessions            ┆       1 ┆          ┆                                                 │
    │ dynamic_links                ┆         ┆        6 ┆ whatsapp_group_id → whatsapp_groups (SET NULL)  │
    │ notification_campaign_groups ┆       8 ┆          ┆ group_id → whatsapp_groups (CASCADE)            │
    │ scheduled_webinar_messages   ┆      10 ┆          ┆ group_id → whatsapp_groups (CASCADE)            │
    │ scheduled_whatsapp_messages  ┆       9 ┆          ┆ group_id → whatsapp_groups (CASCADE)            │
    │ webinar_whatsapp_groups      ┆      12 ┆          ┆ group_id → whatsapp_groups (CASCADE)            │
    │ webinars                     ┆         ┆        8 ┆ community_group_id → whatsapp_groups (SET NULL) │
    │                              ┆         ┆          ┆ whatsapp_group_id → whatsapp_groups (SET NULL)  │
    │ whatsapp_group_admins        ┆     239 ┆          ┆ group_id → whatsapp_groups (CASCADE)            │
    │ whatsapp_groups              ┆     120 ┆          ┆ session_id → whatsapp_sessions (CASCADE)        │
    │ workshop_group_members       ┆         ┆      119 ┆ group_id → whatsapp_groups (SET NULL)           │
    │ workshop_whatsapp_groups     ┆       7 ┆          ┆ group_id → whatsapp_groups (CASCADE)            │
    │ workshops                    ┆         ┆        2 ┆ whatsapp_group_id → whatsapp_groups (SET NULL)  │
    │ Total                        ┆     406 ┆      135 ┆                                                 │
    └──────────────────────────────┴─────────┴──────────┴─────────────────────────────────────────────────┘

    ✓ Can be deleted: 406 rows deleted, 135 unlinked.
    Token: …
    ");
}

#[tokio::test]
async fn sqlite_a_blocked_preview_says_what_is_in_the_way() {
    let db = TestDb::sqlite(Contents::AsBuilt).await;
    let ended = run(&db, &["impact", STALE]);
    insta::assert_snapshot!(without_token(&ended.stdout), @r"
    What deleting 1 session does:

    ┌──────────────────────────────┬─────────┬──────────┬──────────────────────────────────────────────────┐
    │ Table                        ┆ Deleted ┆ Unlinked ┆ Reached through                                  │
    ╞══════════════════════════════╪═════════╪══════════╪══════════════════════════════════════════════════╡
    │ whatsapp_sessions            ┆       1 ┆          ┆                                                  │
    │ dynamic_links                ┆         ┆        6 ┆ whatsapp_group_id → whatsapp_groups (SET NULL)   │
    │ notification_campaign_groups ┆         ┆          ┆ group_id → whatsapp_groups (NO ACTION)           │
    │ scheduled_webinar_messages   ┆         ┆          ┆ group_id → whatsapp_groups (NO ACTION)           │
    │ scheduled_whatsapp_messages  ┆       9 ┆          ┆ group_id → whatsapp_groups (CASCADE)             │
    │ webinar_whatsapp_groups      ┆         ┆          ┆ group_id → whatsapp_groups (NO ACTION)           │
    │ webinars                     ┆         ┆          ┆ community_group_id → whatsapp_groups (NO ACTION) │
    │                              ┆         ┆          ┆ whatsapp_group_id → whatsapp_groups (NO ACTION)  │
    │ whatsapp_group_admins        ┆     239 ┆          ┆ group_id → whatsapp_groups (CASCADE)             │
    │ whatsapp_groups              ┆     120 ┆          ┆ session_id → whatsapp_sessions (CASCADE)         │
    │ workshop_group_members       ┆         ┆      119 ┆ group_id → whatsapp_groups (SET NULL)            │
    │ workshop_whatsapp_groups     ┆       7 ┆          ┆ group_id → whatsapp_groups (CASCADE)             │
    │ workshops                    ┆         ┆        2 ┆ whatsapp_group_id → whatsapp_groups (SET NULL)   │
    │ Total                        ┆     376 ┆      127 ┆                                                  │
    └──────────────────────────────┴─────────┴──────────┴──────────────────────────────────────────────────┘

    Blocked by:
      ✗ 8 rows of notification_campaign_groups that would remain refer to whatsapp_groups by notification_campaign_groups_group_id_fkey: its rule is NO ACTION; change it to CASCADE, or to SET NULL if the column can be null.
      ✗ 10 rows of scheduled_webinar_messages that would remain refer to whatsapp_groups by scheduled_webinar_messages_group_id_fkey: its rule is NO ACTION; change it to CASCADE, or to SET NULL if the column can be null.
      ✗ 12 rows of webinar_whatsapp_groups that would remain refer to whatsapp_groups by webinar_whatsapp_groups_group_id_fkey: its rule is NO ACTION; change it to CASCADE, or to SET NULL if the column can be null.
      ✗ 4 rows of webinars that would remain refer to whatsapp_groups by webinars_community_group_id_fkey: its rule is NO ACTION; change it to CASCADE, or to SET NULL if the column can be null.
      ✗ 5 rows of webinars that would remain refer to whatsapp_groups by webinars_whatsapp_group_id_fkey: its rule is NO ACTION; change it to CASCADE, or to SET NULL if the column can be null.

    ✗ Cannot be deleted: 5 blockers.
    Token: …
    ");
}
