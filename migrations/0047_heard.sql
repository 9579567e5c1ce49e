-- +goose Up
-- What an authority said, and what happened on the way to it, are different facts:
-- trouble is the second, as a message id, empty once it was heard. said held the text
-- of an error where calls went in vain, and the id of a fault where nobody was asked.
alter table intent add column trouble text collate "C" not null default '';
alter table withdrawal add column trouble text collate "C" not null default '';
update intent set said = '', trouble = 'order.no_authority' where said = 'order.no_authority';
update intent set said = '', trouble = 'issuance.trouble.away' where said <> '' and attempts > 0 and state in ('asked', 'pending', 'unknown');
update withdrawal set said = '', trouble = 'order.no_authority' where said = 'order.no_authority';
update withdrawal set said = '', trouble = 'issuance.trouble.away' where said <> '' and attempts > 0 and state = 'asked';
