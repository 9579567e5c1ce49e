-- +goose Up

-- A mail whose outcome nobody waits for. since begins the hours it is tried;
-- a second try begins them anew. The words of sent letters are forgotten after
-- a month.
create table letter (
    id        bigint generated always as identity primary key,
    kind      text not null,
    recipient text not null,
    words     jsonb,
    state     text not null constraint letter_state check (state in ('queued', 'sent', 'deferred', 'failed')),
    answer    text not null default '',
    attempts  integer not null default 0,
    created   timestamptz not null,
    since     timestamptz not null,
    done      timestamptz,
    constraint letter_done check ((done is not null) = (state in ('sent', 'failed'))),
    constraint letter_words check (words is not null or state = 'sent')
);
create index letter_failed on letter (id) where state = 'failed';
create index letter_forgettable on letter (done) where state = 'sent' and words is not null;
