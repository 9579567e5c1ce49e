-- +goose Up

-- Who answers for an authority: a key of its own with a short life, sealed as
-- the authority's is. The newest one signs; a job makes the next one in time.
create table ocsp_signer (
    id          bigint generated always as identity primary key,
    authority   bigint not null references authority,
    certificate bytea not null,
    key         bytea not null,
    not_after   timestamptz not null,
    created     timestamptz not null
);
create index ocsp_signer_newest on ocsp_signer (authority, id desc);

-- What is answered about a certificate, signed before anybody asks: every
-- process sends the same bytes. due is when a job looks at it next; sha1 and
-- sha256 are for the two ways to name the authority, null while nothing is
-- signed yet. Certificates stay, so no foreign key has to hold that.
create table ocsp_answer (
    certificate bigint primary key,
    authority   text collate "C" not null,
    serial      bytea not null,
    sha1        bytea,
    sha256      bytea,
    revoked     boolean not null default false,
    this_update timestamptz,
    next_update timestamptz,
    due         timestamptz not null,
    constraint ocsp_answer_serial unique (authority, serial),
    constraint ocsp_answer_signed check (num_nulls(sha1, sha256, this_update, next_update) in (0, 4))
);
create index ocsp_answer_due on ocsp_answer (authority, due);
