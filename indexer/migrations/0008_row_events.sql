-- What happens to a row once, by its address: what it is rebuilt from, with the newest of everything that concerns it.
create table row_events (
    address     blob    not null,
    slot        integer not null,
    tx_index    integer not null,
    instruction integer not null,
    inner       integer not null,
    signature   blob    not null,
    primary key (address, slot, tx_index, instruction, inner, signature)
) without rowid;

-- Names of other accounts come with them, which changes nothing.
insert into row_events
    select a.* from event_accounts a
    join events e on e.signature = a.signature and e.instruction = a.instruction and e.inner = a.inner
    where e.name in ('JobOpened', 'JobAccepted', 'JobDelivered', 'JobSettled', 'JobRefunded', 'JobPaid', 'JobChallenged',
        'PanelDrawn', 'VoteCommitted', 'VoteRevealed', 'DisputeAppealed', 'DisputeResolved', 'VoteClosed', 'AbsentPunished',
        'DisputeClosed', 'ChannelOpened', 'CloseRequested', 'ChannelClosed', 'BillDisputed')
    and a.address in (select address from jobs union all select address from disputes union all select address from channels);
