-- Channels by who was proven wrong about a bill: 'provider' or 'payer'.
alter table channels add column lost_by text generated always as (json_extract(body, '$.dispute.against')) virtual;
create index channels_by_loser on channels (lost_by, opened_at desc, address) where lost_by is not null;
