-- $sessions, $groups (a session's), $half (half of all groups): five dependants a group over ten tables, spread by prime
-- steps; every second session is stale.
INSERT INTO whatsapp_sessions (id, session_name, status, phone_number, created_at, updated_at)
SELECT md5('s' || i)::uuid, 's' || i, CASE WHEN i % 2 = 0 THEN 'disconnected' ELSE 'connected' END,
       CASE WHEN i % 2 = 1 THEN '+1' || i END, timestamptz '2026-01-01' + i * interval '1 minute',
       timestamptz '2026-01-01' + i * interval '1 minute'
FROM generate_series(1, $sessions) i;
INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name)
SELECT md5('g' || i)::uuid, md5('s' || (1 + (i - 1) % $sessions))::uuid, i || '@g.us', 'Group ' || i
FROM generate_series(1, 2 * $half) i;
INSERT INTO notification_campaigns (id, name) SELECT md5('c' || i)::uuid, 'Campaign ' || i FROM generate_series(1, 100) i;
INSERT INTO workshops (id, title, whatsapp_group_id)
SELECT md5('w' || i)::uuid, 'W' || i, md5('g' || (1 + (i * 7919::bigint) % (2 * $half)))::uuid FROM generate_series(1, $half) i;
INSERT INTO webinars (id, title, whatsapp_group_id, community_group_id)
SELECT md5('n' || i)::uuid, 'N' || i, md5('g' || (1 + (i * 7919::bigint) % (2 * $half)))::uuid,
       CASE WHEN i % 2 = 0 THEN md5('g' || (1 + (i * 104729::bigint) % (2 * $half)))::uuid END
FROM generate_series(1, $half) i;
INSERT INTO whatsapp_group_admins (group_id, phone)
SELECT md5('g' || (1 + (i * 7927::bigint) % (2 * $half)))::uuid, '+' || i FROM generate_series(1, $half) i;
INSERT INTO notification_campaign_groups (campaign_id, group_id)
SELECT md5('c' || (1 + i % 100))::uuid, md5('g' || (1 + (i * 7933::bigint) % (2 * $half)))::uuid FROM generate_series(1, $half) i;
INSERT INTO webinar_whatsapp_groups (webinar_id, group_id)
SELECT md5('n' || i)::uuid, md5('g' || (1 + (i * 7937::bigint) % (2 * $half)))::uuid FROM generate_series(1, $half) i;
INSERT INTO scheduled_webinar_messages (webinar_id, group_id, body, status, scheduled_for)
SELECT md5('n' || i)::uuid, md5('g' || (1 + (i * 7949::bigint) % (2 * $half)))::uuid, 'b', 'sent', now() FROM generate_series(1, $half) i;
INSERT INTO scheduled_whatsapp_messages (group_id, body, status, scheduled_for)
SELECT md5('g' || (1 + (i * 7951::bigint) % (2 * $half)))::uuid, 'b', 'sent', now() FROM generate_series(1, $half) i;
INSERT INTO workshop_whatsapp_groups (workshop_id, group_id)
SELECT md5('w' || i)::uuid, md5('g' || (1 + (i * 7963::bigint) % (2 * $half)))::uuid FROM generate_series(1, $half) i;
INSERT INTO workshop_group_members (workshop_id, group_id, phone)
SELECT md5('w' || i)::uuid, md5('g' || (1 + (i * 7993::bigint) % (2 * $half)))::uuid, '+' || i FROM generate_series(1, $half) i;
INSERT INTO dynamic_links (slug, target_url, whatsapp_group_id)
SELECT 'l' || i, 'x', md5('g' || (1 + (i * 8009::bigint) % (2 * $half)))::uuid FROM generate_series(1, $half) i;
