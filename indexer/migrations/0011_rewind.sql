-- A day of a channel says which slot has shown how far it had come, so that what later slots have shown can be forgotten. Of days that were there
-- before, it is the last slot before the first event of a later day. The checkpoint says whether every account is known as of then.

create temp table day_firsts as
    select block_time / 86400 as day, min(slot) as slot from events where block_time is not null group by 1;
alter table channel_days rename to old_channel_days;
create table channel_days (
    channel blob not null,
    day integer not null,
    settled any not null,
    sequence any not null,
    units any not null,
    slot any not null,
    amount any not null,
    collected any not null,
    returned any not null,
    paid_shares any not null,
    paid_fee any not null,
    paid_provider any not null,
    primary key (channel, day)
) strict, without rowid;
insert into channel_days select channel, day, settled, sequence, units,
    iif(settled = 0, 0, coalesce(
        (select min(slot) - 1 from day_firsts where day_firsts.day > old_channel_days.day), (select slot from checkpoint), 0)),
    amount, collected, returned, paid_shares, paid_fee, paid_provider from old_channel_days;
drop table old_channel_days;
drop table day_firsts;

alter table checkpoint rename to old_checkpoint;
create table checkpoint (
    id integer not null,
    slot any not null,
    finalized any not null,
    listed integer not null,
    primary key (id)
) strict, without rowid;
insert into checkpoint select id, slot, finalized, 1 from old_checkpoint;
drop table old_checkpoint;
