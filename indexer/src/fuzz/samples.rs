//! One valid encoding of every account and event of every program, made with the programs' own types.

use crate::decode::Program;
use anchor_lang::{bytemuck, Discriminator, Event};
use joule_billing::{event as billing, state as channels};
use joule_escrow::{event as escrow, state as jobs};
use joule_registry::{event as registry, state as providers};
use joule_staking::{event as staking, state as bonds};
use joule_treasury::{event as treasury, state as protocol};

/// An account's bytes, or what follows an event's tag.
#[derive(Debug, Clone)]
pub struct Sample {
    pub program: Program,
    /// As the decoders name it.
    pub name: &'static str,
    pub data: Vec<u8>,
}

/// Bytes that are different everywhere, so that no field can be taken for another. No byte is 0 or 1.
pub fn filled<T: bytemuck::Pod>() -> T {
    let bytes: Vec<u8> = (0..size_of::<T>()).map(|n| 2 + (n % 251) as u8).collect();
    bytemuck::pod_read_unaligned(&bytes)
}

fn account<T: Discriminator + bytemuck::Pod>(program: Program, name: &'static str) -> Sample {
    Sample { program, name, data: [T::DISCRIMINATOR, bytemuck::bytes_of(&filled::<T>())].concat() }
}

fn event<T: Event + bytemuck::Pod>(program: Program, name: &'static str) -> Sample {
    Sample { program, name, data: filled::<T>().data() }
}

pub fn accounts() -> Vec<Sample> {
    let (b, e, r) = (Program::Billing, Program::Escrow, Program::Registry);
    let (s, t) = (Program::Staking, Program::Treasury);
    vec![
        account::<channels::Channel>(b, "channel"),
        account::<channels::Payer>(b, "payer"),
        account::<channels::Plan>(b, "plan"),
        account::<channels::Cluster>(b, "cluster"),
        account::<jobs::Job>(e, "job"),
        account::<jobs::Client>(e, "client"),
        account::<jobs::Bid>(e, "bid"),
        account::<jobs::Dispute>(e, "dispute"),
        account::<jobs::Vote>(e, "vote"),
        account::<jobs::Panel>(e, "panel"),
        account::<providers::Provider>(r, "provider"),
        account::<providers::Attestor>(r, "attestor"),
        account::<providers::Attestations>(r, "attestations"),
        account::<providers::Requirements>(r, "requirements"),
        account::<providers::Model>(r, "model"),
        account::<providers::PriceList>(r, "price_list"),
        account::<bonds::Bond>(s, "bond"),
        account::<bonds::Claim>(s, "claim"),
        account::<bonds::Pool>(s, "pool"),
        account::<bonds::Stake>(s, "stake"),
        account::<bonds::Service>(s, "service"),
        account::<protocol::Protocol>(t, "protocol"),
        account::<protocol::AcceptedMint>(t, "accepted_mint"),
    ]
}

macro_rules! events {
    ($($program:ident, $of:ident: $($name:ident),* $(,)?;)*) => {
        vec![$($(event::<$of::$name>(Program::$program, stringify!($name))),*),*]
    };
}

pub fn events() -> Vec<Sample> {
    events! {
        Escrow, escrow: JobOpened, BidPlaced, BidWithdrawn, JobAccepted, WorkReported, JobDelivered, JobSettled,
            JobRefunded, JobPaid, JobRedirected, JobChallenged, PanelDrawn, VoteCommitted, VoteRevealed, DisputeAppealed,
            DisputeResolved, VoteClosed, AbsentPunished, DisputeClosed, ResolverEnrolled, PanelClosed;
        Registry, registry: ProviderRegistered, ProviderUpdated, ProviderStatusChanged, ProviderRetired, AttestorAdmitted,
            AttestorChanged, Attested, AttestationRevoked, AttestationsClosed, RequirementsDefined, RequirementsRetired,
            RequirementsClosed, ModelCreated, ModelUpdated, PricesPublished;
        Billing, billing: ClusterInitialized, PayerCreated, Deposited, Reclaimed, ChannelOpened, ChannelToppedUp, SessionSet,
            Backed, Distributed, OwedClaimed, CloseRequested, ChannelClosed, PlanStarted, PlanPaused, PlanResumed,
            PlanTerminated, PlanSettled, BillDisputed;
        Staking, staking: PoolCreated, PoolUpdated, Staked, LockExtended, StakeRefreshed, Unstaked, StakeWithdrawn,
            RewardsClaimed, RewardsSynced, ServiceAdmitted, ServiceNamed, BondOpened, BondDeposited, UnbondingStarted,
            UnbondingCancelled, BondWithdrawn, BondClosed, ClaimLocked, ClaimReleased, ClaimSlashed;
        Treasury, treasury: ProtocolInitialized, AuthorityProposed, AuthorityChanged, GuardianChanged, FeeChanged,
            MintAccepted, MintUpdated, ServicePaused, ServiceUnpaused, FeesWithdrawn, FeeStaged, FeeCancelled, BreakerChanged,
            BreakerStaged, RewardsChanged, FeesShared;
    }
}
