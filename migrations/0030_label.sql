-- +goose Up

-- How an account is called on pages and in mails: the full name, else the user
-- name, else the address; and the address that letters go to, empty where the
-- provider verified none. The version before writes neither and works both out
-- by itself. One step for both, because it writes the table anew.
alter table account
    add label text not null generated always as (coalesce(nullif(name, ''), nullif(username, ''), email)) stored,
    add verified_email text not null generated always as (case when email_verified then email else '' end) stored;
