-- The tables as they were built. Constraint names are PostgreSQL's defaults: <table>_<column>_fkey.

CREATE TABLE whatsapp_sessions (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  session_name  text NOT NULL,
  status        text NOT NULL DEFAULT 'connecting',   -- connected | connecting | qr_pending | disconnected | anything a gateway adds later
  phone_number  text,                                  -- null until a phone has been paired
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE whatsapp_groups (
  id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  session_id        uuid NOT NULL REFERENCES whatsapp_sessions(id) ON DELETE CASCADE,
  group_jid         text NOT NULL,
  group_name        text NOT NULL,
  participant_count integer NOT NULL DEFAULT 0,
  created_at        timestamptz NOT NULL DEFAULT now(),
  updated_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE whatsapp_group_admins (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  group_id   uuid NOT NULL REFERENCES whatsapp_groups(id) ON DELETE CASCADE,
  phone      text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE notification_campaigns (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE notification_campaign_groups (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  campaign_id uuid NOT NULL REFERENCES notification_campaigns(id) ON DELETE CASCADE,
  group_id    uuid NOT NULL REFERENCES whatsapp_groups(id),
  status      text NOT NULL DEFAULT 'sent',
  sent_at     timestamptz
);

CREATE TABLE webinars (
  id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  title              text NOT NULL,
  whatsapp_group_id  uuid REFERENCES whatsapp_groups(id),
  community_group_id uuid REFERENCES whatsapp_groups(id),
  starts_at          timestamptz,
  created_at         timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE webinar_whatsapp_groups (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  webinar_id uuid NOT NULL REFERENCES webinars(id) ON DELETE CASCADE,
  group_id   uuid NOT NULL REFERENCES whatsapp_groups(id),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE scheduled_webinar_messages (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  webinar_id    uuid NOT NULL REFERENCES webinars(id) ON DELETE CASCADE,
  group_id      uuid NOT NULL REFERENCES whatsapp_groups(id),
  body          text NOT NULL,
  status        text NOT NULL DEFAULT 'pending',       -- pending | sent | failed | cancelled
  scheduled_for timestamptz NOT NULL
);

CREATE TABLE scheduled_whatsapp_messages (
  id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  group_id      uuid NOT NULL REFERENCES whatsapp_groups(id) ON DELETE CASCADE,
  body          text NOT NULL,
  status        text NOT NULL DEFAULT 'pending',       -- pending | sent | failed | cancelled
  scheduled_for timestamptz NOT NULL
);

CREATE TABLE workshops (
  id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  title             text NOT NULL,
  whatsapp_group_id uuid REFERENCES whatsapp_groups(id) ON DELETE SET NULL,
  starts_at         timestamptz,
  created_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE workshop_whatsapp_groups (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  workshop_id uuid NOT NULL REFERENCES workshops(id) ON DELETE CASCADE,
  group_id    uuid NOT NULL REFERENCES whatsapp_groups(id) ON DELETE CASCADE
);

CREATE TABLE workshop_group_members (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  workshop_id uuid NOT NULL REFERENCES workshops(id) ON DELETE CASCADE,
  group_id    uuid REFERENCES whatsapp_groups(id) ON DELETE SET NULL,
  phone       text NOT NULL
);

CREATE TABLE dynamic_links (
  id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  slug              text NOT NULL UNIQUE,
  target_url        text NOT NULL,
  whatsapp_group_id uuid REFERENCES whatsapp_groups(id) ON DELETE SET NULL,
  created_at        timestamptz NOT NULL DEFAULT now()
);
