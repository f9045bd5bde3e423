-- The slot that changed an account, as far as that was seen; `slot` is of whatever has shown it last.
alter table accounts add column since integer not null default 0;
update accounts set since = slot;

-- The place in its block of a transaction that could not be read: `dead_letters` keeps those too, by their signature.
alter table dead_letters add column tx_index integer;

-- One row, of the only chain that the rest is of.
create table chain (
    id      integer not null primary key check (id = 1),
    -- As RPC's `getGenesisHash` says it.
    genesis text    not null
);
