-- +goose Up

-- Why the provider names no groups of somebody, and since when: "unsaid" where it
-- did before, "elsewhere" where it only says that there are too many. Rights
-- that rest on groups rest then, and the person and the registration office see
-- why. The version before writes neither, so that what is there may be older than
-- what it wrote.
alter table account
    add lost text not null default '' constraint account_lost check (lost in ('', 'unsaid', 'elsewhere')),
    add lost_since timestamptz;
