-- A day of a channel says which slot has shown how far it had come, so that what later slots have shown can be forgotten. Of days that were there
-- before, it is the last slot before the first event of a later day. The checkpoint says whether every account is known as of then.

create temp table day_firsts on commit drop as
    select block_time / 86400 as day, min(slot) as slot from events where block_time is not null group by 1;
alter table channel_days rename to old_channel_days;
create table channel_days (
    "channel" bytea not null,
    "day" bigint not null,
    "settled" numeric(20) not null,
    "sequence" numeric(20) not null,
    "units" numeric(20) not null,
    "slot" numeric(20) not null,
    "amount" numeric(20) not null,
    "collected" numeric(20) not null,
    "returned" numeric(20) not null,
    "paid_shares" numeric(20) not null,
    "paid_fee" numeric(20) not null,
    "paid_provider" numeric(20) not null,
    primary key ("channel", "day")
);
insert into channel_days select channel, day, settled, sequence, units,
    case when settled = 0 then 0 else coalesce(
        (select min(slot) - 1 from day_firsts where day_firsts.day > old_channel_days.day), (select slot from checkpoint), 0) end,
    amount, collected, returned, paid_shares, paid_fee, paid_provider from old_channel_days;
drop table old_channel_days;

alter table checkpoint rename to old_checkpoint;
create table checkpoint (
    "id" bigint not null,
    "slot" numeric(20) not null,
    "finalized" numeric(20) not null,
    "listed" boolean not null,
    primary key ("id")
);
insert into checkpoint select id, slot, finalized, true from old_checkpoint;
drop table old_checkpoint;
