-- +goose Up

-- Which key seals: its number stands before what it sealed. 0 is PETSCHAFT_SECRET
-- itself, with no number before the value, as the version before seals and opens.
-- was is the probe of the key before while values may still be sealed under it.
alter table sealed_probe
    add number integer not null default 0,
    add was    bytea;
