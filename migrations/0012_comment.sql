-- +goose Up

-- What the table sorts comments by: those that hold a date by the date, then
-- plain text, then the empty ones. A date is what people type in German: 1.1.2027,
-- 31.12.27, 31. Dezember 2027, 31. Dez. 2027, Dezember 2027, 12/2027, 12.2027 or
-- 2027-12-31. The first one counts, numbers before names; a month alone means its
-- end. The patterns are plain ones, because an import makes many keys: what they
-- find is taken apart afterwards.
-- +goose StatementBegin
create function address_row_comment_key(comment text) returns text
    language plpgsql immutable parallel safe as $$
declare
    found text := substring((' ' || comment || '  ') collate "C"
        from '[^\d./-](\d\d?\. ?\d\d?\. ?(?:\d{4}|\d\d)|\d\d?[./]\d{4}|\d{4}-\d\d-\d\d)[./-]?[^\d./-]');
    parts text[];
    year  int;
    month int;
    day   int := 31;
begin
    if found is not null and found like '%-%' then
        parts := string_to_array(found, '-');
        year := parts[1];
        month := parts[2];
        day := parts[3];
    elsif found is not null then
        parts := string_to_array(translate(found, '/ ', '.'), '.');
        year := parts[cardinality(parts)];
        month := parts[cardinality(parts) - 1];
        if cardinality(parts) = 3 then
            day := parts[1];
        end if;
    else
        found := substring((' ' || lower(comment collate "de-x-icu") || ' ') collate "C"
            from '[^[:alnum:]./-]((?:\d\d?\.? ?)?(?:jan(?:uary?)?|j(?:ä|ae)n(?:ner)?|feb(?:ruary?|er)?|m(?:ä|ae|a)?rz|m(?:ä|ae)r|mar(?:ch)?'
                || '|apr(?:il)?|ma[iy]|jun[ei]?|jul[iy]?|aug(?:ust)?|sept?(?:ember)?|o[kc]t(?:ober)?|nov(?:ember)?|de[zc](?:ember)?)'
                || '(?:\. ?| )\d{4})\D');
        year := right(found, 4);
        day := coalesce(substring(found from '^\d+'), '31');
        month := '{"jan": 1, "jän": 1, "jae": 1, "feb": 2, "mär": 3, "mae": 3, "mar": 3, "mrz": 3, "apr": 4, "mai": 5, "may": 5, "jun": 6,
            "jul": 7, "aug": 8, "sep": 9, "okt": 10, "oct": 10, "nov": 11, "dez": 12, "dec": 12}'::jsonb ->> left(substring(found from '[^\d. ]+'), 3);
    end if;
    if found is null or day not between 1 and 31 or month not between 1 and 12 then
        return '1' || comment;
    end if;
    if year < 100 then
        year := year + case when year < 70 then 2000 else 1900 end;
    end if;
    return '0' || lpad(year::text, 4, '0') || lpad(month::text, 2, '0') || lpad(day::text, 2, '0');
end $$;
-- +goose StatementEnd

alter table address_row add column comment_key text collate "de-x-icu" not null generated always as (case
    when comment = '' then '2'
    when comment collate "C" !~ '\d\d' then '1' || comment
    else address_row_comment_key(comment) end) stored;
drop index address_row_by_comment;
create index address_row_by_comment on address_row (domain, status, comment_key, id);
