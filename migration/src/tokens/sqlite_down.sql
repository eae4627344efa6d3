DROP TABLE session_admin_tokens;
