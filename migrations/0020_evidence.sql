-- +goose Up

-- Which organisation vouches for the people of an e-mail domain: their
-- certificates name it, if it has an identifier.
alter table email_domain add organisation bigint references organisation;
create index email_domain_organisation on email_domain (organisation) where organisation is not null;

-- The sponsor belongs to the intent, and so does what was shown for the names
-- when it was written (proof). findings are the rules that the certificate would
-- have broken.
alter table application
    add organisation text not null default '',
    add identifier   text not null default '',
    add country      text not null default '',
    add proof        jsonb not null default '[]',
    add findings     jsonb not null default '[]';

-- Intents from before there were policies have the profile of then. approved is
-- when an order was approved last.
alter table server_order
    add profile  text not null default 'tls-server',
    add proof    jsonb not null default '[]',
    add findings jsonb not null default '[]',
    add approved timestamptz;

-- Whether somebody else has a certificate for a key, however many there are.
create index certificate_key_account on certificate (key, account);
drop index certificate_key;

-- What was checked before it was signed.
alter table ca_issued add checks jsonb;

-- Why a certificate was issued: who showed what when, and what was checked by
-- which rules. document is offered as a file as it is.
create table evidence (
    certificate bigint primary key references certificate,
    at          timestamptz not null,
    rules       text not null,
    document    jsonb not null
);

-- +goose StatementBegin
create function evidence_fixed() returns trigger language plpgsql as $$
begin
    raise exception 'evidence stays as it was written' using errcode = '23514', constraint = 'evidence_fixed';
end $$;
-- +goose StatementEnd
create trigger evidence_fixed before update or delete on evidence
    for each row execute function evidence_fixed();
