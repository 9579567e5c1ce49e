-- +goose Up

-- An organisation that has server certificates, with its one technical contact.
-- reminders are further addresses that hear of certificates which end soon.
create table organisation (
    id           bigint generated always as identity primary key,
    name         text not null constraint organisation_name_length check (length(name) between 1 and 150),
    identifier   text not null default '' constraint organisation_identifier_length check (length(identifier) <= 100),
    country      text not null constraint organisation_country check (country ~ '^[A-Z]{2}$'),
    contact      bigint not null references account,
    appointed    timestamptz not null,
    reminders    text[] not null default '{}' constraint organisation_reminders_few check (cardinality(reminders) <= 5),
    auto_approve boolean not null default false,
    created      timestamptz not null
);
create unique index organisation_name on organisation (lower(name));
create index organisation_contact on organisation (contact);

-- A domain of an organisation, with everything below it, and the newest
-- validation of it. Without accepted it is only asked for. An accepted one
-- belongs to one organisation; what is asked for keeps nobody out. Older
-- validations stand in the audit.
create table server_name (
    id           bigint generated always as identity primary key,
    organisation bigint not null references organisation,
    name         text not null constraint server_name_lower check (name = lower(name collate "C")),
    wildcard     boolean not null default false,
    asked_by     bigint references account,
    asked        timestamptz,
    accepted     timestamptz,
    proof_method text not null default '',
    proof_by     text not null default '',
    proof_from   timestamptz,
    proof_until  timestamptz,
    ended        timestamptz,
    ended_why    text not null default '',
    constraint server_name_origin check ((asked is null) = (asked_by is null) and coalesce(asked, accepted) is not null),
    constraint server_name_proof check ((proof_from is null) = (proof_method = '') and (proof_from is null) = (proof_until is null)
        and (proof_from is null or accepted is not null)),
    constraint server_name_proof_398 check (proof_until > proof_from and proof_until <= proof_from + interval '398 days')
);
create unique index server_name_once on server_name (organisation, name) where ended is null;
create unique index server_name_taken on server_name (name) where ended is null and accepted is not null;
create index server_name_ended on server_name (organisation, ended desc) where ended is not null;
create index server_name_asked on server_name (asked) where accepted is null and ended is null;
