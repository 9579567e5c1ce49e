-- +goose Up

-- What the API answered to a POST with an Idempotency-Key, for a day. While
-- status is null the request is being carried out by whoever made claim; a claim
-- that nobody renews lapses. digest is that of the request. Without foreign
-- keys: a call writes no row of token.
create table api_answer (
    token   bigint not null,
    key     text collate "C" not null,
    claim   bigint not null,
    claimed timestamptz not null,
    digest  bytea,
    status  int,
    headers json not null default '{}',
    body    bytea not null default '',
    primary key (token, key)
);
create index api_answer_claimed on api_answer (claimed);

-- How many calls each token made in which minute. A crash of the server may
-- forget them.
create unlogged table api_count (
    token  bigint not null,
    minute timestamptz not null,
    n      int not null,
    primary key (token, minute)
) with (fillfactor = 50);
