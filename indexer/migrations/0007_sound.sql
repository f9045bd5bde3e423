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

-- What is listed under what, as long as it lives.
create index members_by_address on members (address);
delete from members where address in (select address from accounts where closed = 1);

-- Whatever can be asked for has an index to begin at, in the order of the answer.
create index jobs_by_mint on jobs (mint, opened_at desc, address);
create index jobs_by_client_and_status on jobs (client, status, opened_at desc, address);
create index jobs_by_provider_and_status on jobs (provider, status, opened_at desc, address);
create index jobs_by_mint_and_status on jobs (mint, status, opened_at desc, address);
create index providers_by_status on providers (status, registered_at, address);
create index models_by_creator_and_status on models (creator, status, created_at desc, address);
create index models_by_base_and_status on models (base, status, created_at desc, address);
create index channels_by_payer_and_status on channels (payer, status, opened_at desc, address);
create index channels_by_provider_and_status on channels (provider, status, opened_at desc, address);
create index channels_by_model_and_status on channels (model, status, opened_at desc, address);
create index plans_by_channel on plans (channel, started_at desc, address);
create index plans_by_payer_and_status on plans (payer, status, started_at desc, address);

drop index channels_by_loser;
create index channels_lost_by_provider on channels (opened_at desc, address) where lost_by in ('provider', 'both');
create index channels_lost_by_payer on channels (opened_at desc, address) where lost_by in ('payer', 'both');
create index channels_lost_by_both on channels (opened_at desc, address) where lost_by in ('both');

-- The parties of a distribution's channel, which the event does not name; null until the channel is known.
drop view distributions_of;
alter table distributions add column payer blob;
alter table distributions add column provider blob;
alter table distributions add column model blob;
update distributions set (payer, provider, model) =
    (select c.payer, c.provider, c.model from channels c where c.address = distributions.channel);
create index distributions_by_payer on distributions (payer, at desc, address);
create index distributions_by_provider on distributions (provider, at desc, address);
create index distributions_by_model on distributions (model, at desc, address);

-- Providers are counted as jobs are, in `aggregates`.
insert into aggregates (scope, key, name, value)
    select 'all', zeroblob(32), 'providers', cast(count(*) as text) from providers;
insert into aggregates (scope, key, name, value)
    select 'all', zeroblob(32), 'providers_active', cast(count(*) as text) from providers where status = 'active';
