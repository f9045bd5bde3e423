-- Requests paid one by one: payers, channels, plans, and what was earned.
--
-- The billing program's accounts and events from before are read from the chain: what is stored already stays as it is.
delete from checkpoint;

-- What a payer's account says, as far as it is summed.
create table payers (
    address blob    not null primary key,
    owner   blob    not null,
    mint    blob    not null,
    -- Base units, decimal.
    balance text    not null,
    slot    integer not null
) without rowid;

-- What the API answers for a channel: rebuilt from its account and its events whenever one of them changes.
create table channels (
    address   blob    not null primary key,
    payer     blob    not null,
    provider  blob    not null,
    model     blob    not null,
    status    text    not null,
    opened_at integer not null,
    slot      integer not null,
    -- The `Channel` of the API as JSON, without what was paid out.
    body      text    not null
) without rowid;
create index channels_newest on channels (opened_at desc, address);
create index channels_by_status on channels (status, opened_at desc, address);
create index channels_by_payer on channels (payer, opened_at desc, address);
create index channels_by_provider on channels (provider, opened_at desc, address);
create index channels_by_model on channels (model, opened_at desc, address);

-- The same for a plan: the newest on its channel.
create table plans (
    address    blob    not null primary key,
    channel    blob    not null,
    payer      blob    not null,
    status     text    not null,
    started_at integer not null,
    slot       integer not null,
    -- The whole `Plan` of the API as JSON.
    body       text    not null
) without rowid;
create index plans_newest on plans (started_at desc, address);
create index plans_by_status on plans (status, started_at desc, address);
create index plans_by_payer on plans (payer, started_at desc, address);

-- `Distributed` events, as the API answers them.
create table distributions (
    -- Hash of signature, instruction and inner instruction: only for an order among those of one second.
    address  blob    not null primary key,
    channel  blob    not null,
    -- Of the block, in Unix seconds; 0 where the node did not know it.
    at       integer not null,
    slot     integer not null,
    -- The whole `Distribution` of the API as JSON.
    body     text    not null
) without rowid;
create index distributions_newest on distributions (at desc, address);
create index distributions_by_channel on distributions (channel, at desc, address);

-- With the parties of their channels, which the events do not name.
create view distributions_of as
    select d.address, d.channel, c.payer, c.provider, c.model, d.at, d.body
    from distributions d left join channels c on c.address = d.channel;

-- How far a channel had come by the end of a day, as far as that was seen; and what was paid on that day. u64 values with
-- the same bits.
create table channel_days (
    channel       blob    not null,
    -- Days since 1970-01-01, in UTC.
    day           integer not null,
    -- The highest that was seen on that day, and its units.
    sequence      integer not null,
    units         integer not null,
    -- The highest that a distribution stated on that day: earned by all, and by the provider.
    amount        integer not null,
    collected     integer not null,
    -- Sums over the events of that day.
    paid_shares   integer not null,
    paid_fee      integer not null,
    paid_provider integer not null,
    returned      integer not null,
    primary key (channel, day)
) without rowid;

-- Sums over the days of `channels`, kept by adding what a channel's change adds. Decimals.
create table revenue (
    day           integer not null,
    mint          blob    not null,
    model         blob    not null,
    provider      blob    not null,
    requests      text    not null,
    units         text    not null,
    amount        text    not null,
    collected     text    not null,
    paid_shares   text    not null,
    paid_fee      text    not null,
    paid_provider text    not null,
    returned      text    not null,
    primary key (day, mint, model, provider)
) without rowid;
