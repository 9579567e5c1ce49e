-- +goose Up

-- What a person lets a program do in their name. The secret is kept as its
-- SHA-256 alone. domains and organisations narrow what its maker may at the
-- moment of a call; they never add to it. form is the page that made it, which
-- makes one token however often it is sent. told counts the letters that announced
-- the end.
create table token (
    id            bigint generated always as identity primary key,
    account       bigint not null references account,
    form          text collate "C" not null,
    name          text not null,
    hash          bytea not null constraint token_hash unique,
    verbs         text[] not null constraint token_verbs check (cardinality(verbs) > 0),
    domains       bigint[] not null,
    organisations bigint[] not null,
    networks      cidr[] not null,
    created       timestamptz not null,
    ends          timestamptz not null constraint token_ends check (ends > created and ends <= created + interval '366 days'),
    last_used     timestamptz,
    last_from     inet,
    told          int not null default 0,
    withdrawn     timestamptz,
    withdrawn_by  bigint references account,
    constraint token_form unique (account, form)
);
create index token_account on token (account, id desc);
create index token_live on token (ends, id) where withdrawn is null;
