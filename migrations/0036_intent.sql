-- +goose Up

-- The version before works on while this runs, and takes its locks in more than one
-- order: so all that is needed is taken at once, and let go where that takes too
-- long, before Postgres calls it a deadlock and ends somebody.
-- +goose StatementBegin
create function take_locks(locks text) returns void language plpgsql as $$
declare
    until timestamptz := clock_timestamp() + interval '5 minutes';
    before text := current_setting('lock_timeout');
begin
    loop
        begin
            perform set_config('lock_timeout', '300ms', true);
            execute locks;
            perform set_config('lock_timeout', before, true);
            return;
        exception when lock_not_available or deadlock_detected then
            if clock_timestamp() > until then
                raise;
            end if;
        end;
        perform pg_sleep(random() / 5);
    end loop;
end $$;
-- +goose StatementEnd
select take_locks('lock table email_domain, product, application, server_order in access exclusive mode; lock table certificate in share row exclusive mode');

-- What an authority is asked for, written before it is asked. number is that of
-- the application or the order that it is for, which share one sequence; a second
-- intent of the same one takes the place of the first. reference is ours, by which
-- an authority outside finds its own record again; ticket is the authority's.
-- asked is when it was asked for the first time; since, since when the state is so.
-- said and person are what the authority last told; answer is a certificate that
-- came and is something else.
-- next_look is when somebody looks next: while it is not over there is one.
-- withdrawn is when the right to the certificate ended; what comes then is not
-- offered.
create table intent (
    number       bigint primary key,
    kind         text collate "C" not null constraint intent_kind check (kind in ('application', 'server_order')),
    reference    text collate "C" not null,
    authority    text collate "C" not null,
    csr          bytea not null default '',
    spki         bytea not null,
    profile      text not null,
    common_name  text not null default '',
    given_name   text not null default '',
    surname      text not null default '',
    organisation text not null default '',
    identifier   text not null default '',
    country      text not null default '',
    emails       text[] not null default '{}',
    names        text[] not null default '{}',
    days         int not null default 0,
    serial       bytea not null,
    not_before   timestamptz not null,
    state        text collate "C" not null constraint intent_state
                 check (state in ('written', 'asked', 'pending', 'issued', 'refused', 'unknown')),
    since        timestamptz not null,
    asked        timestamptz,
    next_look    timestamptz,
    attempts     int not null default 0,
    ticket       text not null default '',
    person       boolean not null default false,
    said         text not null default '',
    reason       text not null default '',
    findings     jsonb not null default '[]',
    answer       bytea,
    chain        bytea[] not null default '{}',
    withdrawn    timestamptz,
    constraint intent_looks check ((state in ('written', 'asked', 'pending')) = (next_look is not null)),
    constraint intent_asked check (asked is not null or state in ('written', 'refused'))
);
create index intent_next_look on intent (next_look) where next_look is not null;
create index intent_waits on intent (asked) where state = 'pending';

-- What an authority outside is to revoke. An authority that refused may be asked
-- again: the row is written anew.
create table withdrawal (
    certificate bigint primary key references certificate,
    authority   text collate "C" not null,
    der         bytea not null,
    reason      smallint not null,
    state       text collate "C" not null constraint withdrawal_state check (state in ('written', 'asked', 'done', 'refused')),
    since       timestamptz not null,
    next_look   timestamptz,
    attempts    int not null default 0,
    said        text not null default '',
    constraint withdrawal_looks check ((state in ('written', 'asked')) = (next_look is not null))
);
create index withdrawal_next_look on withdrawal (next_look) where next_look is not null;

-- "pending" is "issuing" with an authority that is not the portal's own: the
-- version before, which knows none, leaves it alone.
alter table application drop constraint application_state, drop constraint application_ended;
alter table application
    add constraint application_state check (state in ('queued', 'issuing', 'pending', 'issued', 'refused', 'failed', 'withdrawn')),
    add constraint application_ended check ((state in ('queued', 'issuing', 'pending')) = (ended is null));
alter table server_order drop constraint server_order_state;
alter table server_order
    add constraint server_order_state check (state in ('received', 'waiting', 'review', 'returned', 'approved', 'issuing', 'pending', 'issued',
        'rejected', 'withdrawn', 'failed')),
    add csr bytea not null default '';

-- From which authority certificates come; empty: from the portal's own.
alter table product add authority text collate "C" not null default '';
alter table email_domain add authority text collate "C" not null default '';

-- What the version before was at.
insert into intent (number, kind, reference, authority, spki, profile, common_name, given_name, surname, organisation, identifier, country, emails,
        serial, not_before, state, since, asked, next_look)
    select id, 'application', reference, 'mail', spki, profile, common_name, given_name, surname, organisation, identifier, country, emails,
        serial, not_before, 'asked', created, created, created
    from application where state = 'issuing';
insert into intent (number, kind, reference, authority, spki, profile, names, days, serial, not_before, state, since, asked, next_look)
    select id, 'server_order', reference, 'tls', spki, profile, names, days, serial, not_before, 'asked', since, since, since
    from server_order where state = 'issuing';
