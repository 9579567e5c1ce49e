-- +goose Up

-- A guided procedure for one row. How far it is shows the row itself; kept are
-- what the row was at the start and, in done, what left no trace there: a name
-- that stays as it was, a step left out, the last look. new_row is the row that
-- takes the place of the old one.
create table recipe (
    id         bigint generated always as identity primary key,
    row_id     bigint not null references address_row on delete cascade,
    kind       text not null constraint recipe_kind check (kind in ('reuse', 'rename-new', 'rename-same', 'applicant', 'left')),
    name       text not null,
    applicant  text not null,
    account    bigint references account,
    done       text[] not null default '{}',
    new_row    bigint references address_row on delete set null,
    started    timestamptz not null,
    started_by bigint not null references account,
    outcome    text not null default 'open' constraint recipe_outcome check (outcome in ('open', 'finished', 'cancelled')),
    ended      timestamptz,
    constraint recipe_ended check ((outcome = 'open') = (ended is null))
);
create unique index recipe_one_open on recipe (row_id) where outcome = 'open';
create index recipe_row on recipe (row_id);
create index recipe_new_row on recipe (new_row) where new_row is not null;

-- Whose functional rows somebody looks after.
create index address_row_applicant on address_row (lower(applicant collate "C")) where applicant <> '';
