-- The tables as they were built. Ids are UUIDs as text, random (version 4) unless given; times are text, RFC 3339 in
-- UTC as chrono writes them, so that they compare and sort as text.

CREATE TABLE whatsapp_sessions (
  id            text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  session_name  text NOT NULL,
  status        text NOT NULL DEFAULT 'connecting',   -- connected | connecting | qr_pending | disconnected | anything a gateway adds later
  phone_number  text,                                  -- null until a phone has been paired
  created_at    text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
  updated_at    text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
);

CREATE TABLE whatsapp_groups (
  id                text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  session_id        text NOT NULL REFERENCES whatsapp_sessions(id) ON DELETE CASCADE,
  group_jid         text NOT NULL,
  group_name        text NOT NULL,
  participant_count integer NOT NULL DEFAULT 0,
  created_at        text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
  updated_at        text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
);

CREATE TABLE whatsapp_group_admins (
  id         text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  group_id   text NOT NULL REFERENCES whatsapp_groups(id) ON DELETE CASCADE,
  phone      text NOT NULL,
  created_at text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
);

CREATE TABLE notification_campaigns (
  id         text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  name       text NOT NULL,
  created_at text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
);

CREATE TABLE notification_campaign_groups (
  id          text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  campaign_id text NOT NULL REFERENCES notification_campaigns(id) ON DELETE CASCADE,
  group_id    text NOT NULL REFERENCES whatsapp_groups(id),
  status      text NOT NULL DEFAULT 'sent',
  sent_at     text
);

CREATE TABLE webinars (
  id                 text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  title              text NOT NULL,
  whatsapp_group_id  text REFERENCES whatsapp_groups(id),
  community_group_id text REFERENCES whatsapp_groups(id),
  starts_at          text,
  created_at         text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
);

CREATE TABLE webinar_whatsapp_groups (
  id         text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  webinar_id text NOT NULL REFERENCES webinars(id) ON DELETE CASCADE,
  group_id   text NOT NULL REFERENCES whatsapp_groups(id),
  created_at text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
);

CREATE TABLE scheduled_webinar_messages (
  id            text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  webinar_id    text NOT NULL REFERENCES webinars(id) ON DELETE CASCADE,
  group_id      text NOT NULL REFERENCES whatsapp_groups(id),
  body          text NOT NULL,
  status        text NOT NULL DEFAULT 'pending',       -- pending | sent | failed | cancelled
  scheduled_for text NOT NULL
);

CREATE TABLE scheduled_whatsapp_messages (
  id            text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  group_id      text NOT NULL REFERENCES whatsapp_groups(id) ON DELETE CASCADE,
  body          text NOT NULL,
  status        text NOT NULL DEFAULT 'pending',       -- pending | sent | failed | cancelled
  scheduled_for text NOT NULL
);

CREATE TABLE workshops (
  id                text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  title             text NOT NULL,
  whatsapp_group_id text REFERENCES whatsapp_groups(id) ON DELETE SET NULL,
  starts_at         text,
  created_at        text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
);

CREATE TABLE workshop_whatsapp_groups (
  id          text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  workshop_id text NOT NULL REFERENCES workshops(id) ON DELETE CASCADE,
  group_id    text NOT NULL REFERENCES whatsapp_groups(id) ON DELETE CASCADE
);

CREATE TABLE workshop_group_members (
  id          text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  workshop_id text NOT NULL REFERENCES workshops(id) ON DELETE CASCADE,
  group_id    text REFERENCES whatsapp_groups(id) ON DELETE SET NULL,
  phone       text NOT NULL
);

CREATE TABLE dynamic_links (
  id                text NOT NULL PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' || substr('89AB', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))),
  slug              text NOT NULL UNIQUE,
  target_url        text NOT NULL,
  whatsapp_group_id text REFERENCES whatsapp_groups(id) ON DELETE SET NULL,
  created_at        text NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
);
