-- +goose Up

-- How often somebody did something that is not for free, within a time that began
-- with the first: kind says what, who says who did it (an account, a token, a
-- network), ends is when it counts from one again. What a crash forgets is let
-- pass once more.
-- It takes the place of api_count, which the version before still writes; the one
-- after this may drop that table.
create unlogged table brake (
    kind text collate "C" not null,
    who  text collate "C" not null,
    n    int not null,
    ends timestamptz not null,
    primary key (kind, who)
) with (fillfactor = 50);
