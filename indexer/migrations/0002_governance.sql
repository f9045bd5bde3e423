-- Pauses end by themselves and fees are announced. Lists by service number, as JSON.
alter table protocol drop column paused;
-- Unix seconds at which the last pause ends or ended; 0 when there never was one.
alter table protocol add column paused_until text not null default '[]';
-- Unix seconds from which the announced fee can be applied; 0 when none is.
alter table protocol add column staged_fee_at text not null default '[]';
alter table protocol add column staged_fee_bps text not null default '[]';

-- Base units, decimal.
alter table accepted_mints add column kept text not null default '0';
alter table accepted_mints add column owed_rewards text not null default '0';
alter table accepted_mints add column outflow_limit text not null default '0';
-- Seconds.
alter table accepted_mints add column outflow_window integer not null default 0;
-- Null when stakers have none.
alter table accepted_mints add column reward_vault blob;
alter table accepted_mints add column reward_bps integer not null default 0;
