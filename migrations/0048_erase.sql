-- +goose Up

-- Whoever serves may change no line of the record. Personal detail is erased by
-- this function, as the owner's, and it writes a line of its own about which line
-- and why; salt and digest are made as internal/audit makes them. Nobody may call
-- it until the owner grants that.
-- +goose StatementBegin
create function audit_erase(erased bigint, reason text) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    written text := json_build_object('line', erased, 'reason', reason, 'role', session_user)::text;
    salted bytea := decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
    own bigint;
begin
    if coalesce(trim(reason), '') = '' then
        raise exception 'say why' using errcode = '22023';
    end if;
    update audit_line set detail = null, salt = null where id = erased and detail is not null;
    if not found then
        raise exception 'there is no line % with detail', erased using errcode = 'P0002';
    end if;
    insert into audit_line (at, action, detail, salt, digest)
    values (now(), 'audit.erased', written::json, salted, sha256(salted || convert_to(written, 'UTF8')))
    returning id into own;
    insert into audit_about (line, kind, id) select own, kind, id from audit_about where line = erased;
    insert into audit_unsealed (line) values (own);
    return own;
end $$;
-- +goose StatementEnd
revoke execute on function audit_erase from public;
