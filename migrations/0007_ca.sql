-- +goose Up

-- The certificate authorities of this portal. key is sealed under
-- PETSCHAFT_SECRET; it is null for a root whose key lies elsewhere, and then the
-- root's revocation list, signed where the key is, lies here.
create table authority (
    id          bigint generated always as identity primary key,
    name        text not null constraint authority_name unique
                constraint authority_name_shape check (name ~ '^[a-z][a-z0-9-]{0,30}$'),
    parent      bigint references authority,
    certificate bytea not null,
    key         bytea,
    crl         bytea,
    created     timestamptz not null,
    constraint authority_key check (key is not null or parent is null),
    constraint authority_crl check ((key is null) = (crl is not null))
);

-- What was signed, by the intent that asked for it: the same intent is answered
-- with the same certificate, for ever. asked is a digest of the whole request.
create table ca_issued (
    intent    bigint primary key,
    authority bigint not null references authority,
    serial    bytea not null,
    asked     bytea not null,
    der       bytea not null,
    at        timestamptz not null,
    constraint ca_issued_serial unique (authority, serial)
);

-- +goose StatementBegin
create function ca_issued_fixed() returns trigger language plpgsql as $$
begin
    raise exception 'what an authority signed stays signed' using errcode = '23514', constraint = 'ca_issued_fixed';
end $$;
-- +goose StatementEnd
create trigger ca_issued_fixed before update or delete on ca_issued
    for each row execute function ca_issued_fixed();
