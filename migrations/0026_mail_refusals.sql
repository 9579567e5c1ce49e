-- +goose Up

-- A time in which the mail server takes no letter of the portal: it refused at
-- the door (or the sender), or said one code to letters of several domains.
-- While ended is null, one letter tries at next, whichever process comes first.
create table mail_hold (
    id     bigint generated always as identity primary key,
    since  timestamptz not null,
    next   timestamptz not null,
    ended  timestamptz,
    door   boolean not null,
    code   text not null,
    answer text not null
);
create unique index mail_hold_one on mail_hold ((true)) where ended is null;
create index mail_hold_code on mail_hold (code, ended);

-- What the mail server lately refused for good, by which a hold is seen. final:
-- it was held against the address until then. One of the last two is set; a
-- challenge is the mailbox room's number.
create table mail_refusal (
    at        timestamptz not null,
    code      text not null,
    domain    text not null,
    final     boolean not null,
    challenge bigint,
    letter    bigint references letter
);
create index mail_refusal_code on mail_refusal (code, at);
create index mail_refusal_letter on mail_refusal (letter) where letter is not null;

-- unsent: it failed because it could not be handed over in time, which says
-- nothing about the address. What failed before counts as it did.
alter table letter add unsent boolean not null default false;
alter table challenge add unsent boolean not null default false;
alter table challenge_round drop constraint challenge_round_outcome;
alter table challenge_round add constraint challenge_round_outcome
    check (outcome in ('open', 'complete', 'declined', 'replaced', 'invalidated', 'expired', 'undeliverable', 'unsent'));

-- doubtful: who completed the round has a verified e-mail address that is none
-- of the row's. In address_row it is kept beside status, by the same statement;
-- so few rows are that counting them needs an index only.
alter table link add doubtful boolean not null default false;
alter table address_row add doubtful boolean not null default false;
create index address_row_doubtful on address_row (domain, status, name, id) where doubtful;
