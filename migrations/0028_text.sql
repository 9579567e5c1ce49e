-- +goose Up

-- Names as one sees them: composed (NFC), without zero-width and other invisible
-- characters, every run of blanks one blank. The program reads every text so from
-- now on; a program of the version before goes on writing what it is given, so
-- the words that a search looks at are made of what one sees here, too. What
-- shows nothing at all stays until somebody edits it.
-- +goose StatementBegin
create or replace function address_row_words(name text, primary_address text, aliases text[]) returns text
    language sql immutable parallel safe as $$
    select ' ' || translate(lower((
        case when octet_length(name) = length(name) then name else
            normalize(regexp_replace(regexp_replace(name, '[\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000]', ' ', 'g'),
                '[\u0001-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164'
                '\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]', '', 'g')) end
        || ' ' || split_part(primary_address, '@', 1)
        || ' ' || split_part(coalesce(aliases[1], ''), '@', 1)
        || ' ' || split_part(coalesce(aliases[2], ''), '@', 1)) collate "de-x-icu"),
        '.,;:-_+/()"''', '            ')
$$;
-- +goose StatementEnd

-- +goose StatementBegin
create function text_line(s text) returns text language sql immutable as $$
    select case when (s collate "C") !~ '[^ -~]|  |^ | $' then s else
        coalesce(nullif(trim(regexp_replace(normalize(regexp_replace(regexp_replace(s, '[\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000]+', ' ', 'g'),
            '[\u0001-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164'
            '\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]', '', 'g')), ' +', ' ', 'g')), ''), s) end
$$;
-- +goose StatementEnd
-- +goose StatementBegin
create function text_lines(s text) returns text language sql immutable as $$
    select case when (s collate "C") !~ '[^ -~]|^ | $' then s else
        trim(E' \n' from regexp_replace(normalize(regexp_replace(regexp_replace(regexp_replace(s,
            '\r\n|[\r\u0085\u2028\u2029]', E'\n', 'g'),
            '[\u0009\u000b\u000c\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]', ' ', 'g'),
            '[\u0001-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164'
            '\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]', '', 'g')), ' +(?=\n)', '', 'g')) end
$$;
-- +goose StatementEnd

update address_row set name = text_line(name), comment = text_lines(comment), version = version + 1
    where (name <> text_line(name) collate "C" or comment <> text_lines(comment) collate "C")
        and octet_length(text_line(name)) <= 1024 and octet_length(text_lines(comment)) <= 1024;
update account set name = text_line(name), given_name = text_line(given_name), family_name = text_line(family_name)
    where name <> text_line(name) collate "C" or given_name <> text_line(given_name) collate "C" or family_name <> text_line(family_name) collate "C";
update certificate set search = text_line(search) where organisation is null and search <> text_line(search) collate "C";
drop function text_line;
drop function text_lines;

-- A name or a comment has 1,024 characters, not bytes. An entry of the indexes
-- that sort by them has room for 2,560 bytes.
alter table address_row
    drop constraint address_row_name,
    drop constraint address_row_comment,
    add constraint address_row_name_length check (name <> '' and length(name) <= 1024 and octet_length(name) <= 2560),
    add constraint address_row_comment_length check (length(comment) <= 1024 and octet_length(comment) <= 2560);
