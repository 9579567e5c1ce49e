-- +goose Up

-- What kinds of server certificates can be ordered. Their names and
-- descriptions are words of the catalogs, by code.
create table product (
    code       text primary key constraint product_code check (code ~ '^[a-z][a-z0-9-]{0,30}$'),
    place      int not null,
    most_names int not null constraint product_most_names check (most_names between 1 and 100),
    wildcard   boolean not null,
    keys       text[] not null,
    days       int not null constraint product_days check (days between 1 and 398),
    active     boolean not null default true
);
insert into product (code, place, most_names, wildcard, keys, days) values
    ('tls-single', 1, 1, false, '{EC P-256,EC P-384,RSA 2048,RSA 3072,RSA 4096}', 90),
    ('tls-multi', 2, 50, false, '{EC P-256,EC P-384,RSA 2048,RSA 3072,RSA 4096}', 90),
    ('tls-wildcard', 3, 50, true, '{EC P-256,EC P-384,RSA 2048,RSA 3072,RSA 4096}', 90);

-- An order for a server certificate. Its number comes from the sequence of the
-- applications, because an authority knows an intent by its number alone.
-- serial, not_before and days are the intent. decision needs told: officers got
-- a mail about it.
create table server_order (
    id           bigint primary key default nextval(pg_get_serial_sequence('application', 'id')),
    reference    text collate "C" not null constraint server_order_reference unique,
    form         text collate "C" not null,
    organisation bigint not null references organisation,
    product      text not null references product,
    names        text[] not null constraint server_order_names check (cardinality(names) between 1 and 100),
    spki         bytea not null,
    key_kind     text not null,
    comment      text not null default '' constraint server_order_comment check (length(comment) <= 2000),
    search       text not null,
    state        text not null constraint server_order_state check (state in ('received', 'waiting', 'review', 'returned',
                     'approved', 'issuing', 'issued', 'rejected', 'withdrawn', 'failed')),
    since        timestamptz not null,
    reason       text not null default '',
    version      int not null default 1,
    by_officer   boolean not null default false,
    submitter    bigint not null references account,
    decider      bigint references account,
    replaces     bigint references certificate,
    told         timestamptz,
    serial       bytea,
    not_before   timestamptz,
    days         int not null default 0,
    answer       bytea,
    attempts     int not null default 0,
    certificate  bigint references certificate,
    created      timestamptz not null,
    ended        timestamptz,
    constraint server_order_form unique (submitter, form),
    constraint server_order_intent check ((state = 'issuing') <= (serial is not null and not_before is not null)),
    constraint server_order_issued check ((state = 'issued') = (certificate is not null)),
    constraint server_order_ended check ((state in ('issued', 'rejected', 'withdrawn')) = (ended is not null))
);
create index server_order_organisation on server_order (organisation, id desc);
create index server_order_open_organisation on server_order (organisation, state) where ended is null;
create index server_order_state_id on server_order (state, id desc);
create index server_order_untold on server_order (id) where told is null and state in ('received', 'waiting');
create index server_order_search on server_order using gin (search gin_trgm_ops);
-- One renewal of a certificate is under way at a time.
create unique index server_order_one_renewal on server_order (replaces) where ended is null;

-- Who submitted or corrected an order: none of them decides it.
create table server_order_author (
    server_order bigint not null references server_order,
    account      bigint not null references account,
    primary key (server_order, account)
);

-- Whether a key is in use already, by whom ever.
create index certificate_key on certificate (key);
