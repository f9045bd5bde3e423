-- Channels by who was proven wrong about a bill: 'provider' or 'payer'.
alter table channels add column lost_by text generated always as (json_extract(body, '$.dispute.against')) virtual;
create index channels_by_loser on channels (lost_by, opened_at desc, address) where lost_by is not null;

-- The highest sum that was seen settled on a day: `sequence` and `units` are that voucher's, and may be lower than an earlier one's.
alter table channel_days add column settled integer not null default 0;
