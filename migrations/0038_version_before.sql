-- +goose Up

select take_locks('lock table application, server_order, certificate in share row exclusive mode');
drop function take_locks;

-- What a process of the version before, which knows of no intents, may not do while
-- it runs beside. The release after this one drops all of it.

-- It records a certificate whatever became of its application or order. Where the
-- right to it ended and an intent is still open, the portal records it, as one that
-- nobody wants: so the process gets a conflict.
-- +goose StatementBegin
create function right_over() returns trigger language plpgsql as $$
begin
    if exists (select from intent where number = new.id and next_look is not null) then
        raise exception 'the right to the certificate of % has ended', new.reference using errcode = '23514', constraint = 'right_over';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger right_over before update on application
    for each row when (new.state = 'issued' and old.state in ('refused', 'withdrawn')) execute function right_over();
create trigger right_over before update on server_order
    for each row when (new.state = 'issued' and (old.state in ('rejected', 'withdrawn') or old.state = 'failed' and old.reason = 'serverorder.failed.checks'))
    execute function right_over();

-- +goose StatementBegin
create function certificate_right_over() returns trigger language plpgsql as $$
begin
    if exists (select from server_order o join intent i on i.number = o.id
            where o.id = new.server_order and o.state in ('rejected', 'withdrawn') and i.next_look is not null) then
        raise exception 'the right to certificate % has ended', new.reference using errcode = '23514', constraint = 'right_over';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger right_over before insert on certificate
    for each row when (new.server_order is not null and num_nonnulls(new.revoked, new.revoking) = 0) execute function certificate_right_over();

-- It asks the portal's own authority, also for what another one was asked for and
-- may have issued.
-- +goose StatementBegin
create function asked_outside() returns trigger language plpgsql as $$
begin
    if exists (select from intent where number = new.id and authority not in ('mail', 'tls')) then
        raise exception 'another authority was asked for the certificate of %', new.reference using errcode = '23514', constraint = 'asked_outside';
    end if;
    return null;
end $$;
-- +goose StatementEnd
create constraint
    trigger asked_outside after update on application deferrable initially deferred
    for each row when (old.state = 'failed' and new.state in ('queued', 'issuing')) execute function asked_outside();
create constraint
    trigger asked_outside after update on server_order deferrable initially deferred
    for each row when (old.state = 'failed' and new.state in ('approved', 'issuing')) execute function asked_outside();
