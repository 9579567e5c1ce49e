-- +goose Up

-- Whether another organisation has a certificate for a key, and whether an order has
-- one, is asked for each order: by the key alone each certificate of it would be read.
create index certificate_key_organisation on certificate (key, organisation, server_order) where organisation is not null;
