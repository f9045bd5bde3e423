// What the programs keep as numbers, by name. A number never changes its meaning.

/** Names of numbers. */
export interface Names<N extends string> {
  readonly names: readonly N[];
  /** Throws a RangeError for a number that has no name: the program is newer than this SDK. */
  of(number: number): N;
  /** Throws a RangeError that lists the names, for another word. */
  number(name: N): number;
}
export type NameOf<T> = T extends Names<infer N> ? N : never;

function names<N extends string>(what: string, numbers: Record<N, number>): Names<N> {
  const entries = Object.entries(numbers) as [N, number][];
  return {
    names: entries.map(([name]) => name),
    of(number) {
      const found = entries.find(([, own]) => own === number);
      if (!found) throw new RangeError(`no ${what} has number ${number}: is there a newer version of this SDK?`);
      return found[0];
    },
    number(name) {
      const found = entries.find(([own]) => own === name);
      if (!found) throw new RangeError(`${JSON.stringify(name)} is no ${what}: one of ${entries.map(([own]) => own).join(", ")}`);
      return found[1];
    },
  };
}

/** Where a job stands. */
export const JobStatus = names("status of a job", { open: 1, accepted: 2, delivered: 3, settled: 4, refunded: 5, challenged: 6 });
export type JobStatus = NameOf<typeof JobStatus>;

/** Who decides whether a challenged result is right: nobody, whoever runs it again, or resolvers drawn by lot. */
export const Verification = names("way of verifying", { review: 0, quorum: 1, panel: 2 });
export type Verification = NameOf<typeof Verification>;

/** What a price is for: the whole job, or each second that the provider reports. */
export const Pricing = names("way of pricing", { fixed: 0, per_second: 1 });
export type Pricing = NameOf<typeof Pricing>;

/** Why a budget went back. */
export const RefundReason = names("reason for a refund", { cancelled: 0, not_accepted: 1, not_delivered: 2 });
export type RefundReason = NameOf<typeof RefundReason>;

export const DisputeStatus = names("status of a dispute", { drawing: 1, voting: 2, resolved: 3 });
export type DisputeStatus = NameOf<typeof DisputeStatus>;

/** What a dispute, a round or a vote says: the result stands, the challenger's is right, another one is, or nobody knows. */
export const Verdict = names("verdict", { stands: 1, counter: 2, neither: 3, undecided: 4 });
export type Verdict = NameOf<typeof Verdict>;

/** Who asked for a second panel. */
export const Side = names("side", { provider: 1, challenger: 2, client: 3 });
export type Side = NameOf<typeof Side>;

export const ProviderStatus = names("status of a provider", { active: 1, paused: 2 });
export type ProviderStatus = NameOf<typeof ProviderStatus>;

export const ModelStatus = names("status of a model", { retired: 0, active: 1 });
export type ModelStatus = NameOf<typeof ModelStatus>;

export const PlanStatus = names("status of a plan", { running: 1, paused: 2, terminated: 3 });
export type PlanStatus = NameOf<typeof PlanStatus>;

/** Who was proven wrong about a bill. */
export const Against = names("side of a bill", { provider: 1, payer: 2, both: 3 });
export type Against = NameOf<typeof Against>;

/** What charges fees, locks bonds, and can be paused. */
export const Service = names("service", { escrow: 0, billing: 1, data_market: 2, depin: 3 });
export type Service = NameOf<typeof Service>;
