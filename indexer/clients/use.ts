// What a program in TypeScript does with the generated types.

import type { components, operations, paths } from "./generated/api.js";

type Job = components["schemas"]["Job"];
type Answer<O extends { responses: { 200: { content: { "application/json": unknown } } } }> =
  O["responses"][200]["content"]["application/json"];

// Money is a decimal string, whatever its size.
export const budget = (job: Job): bigint => BigInt(job.budget);

// Every operation has a name of its own.
export const first = (page: Answer<operations["list_jobs"]>): Job | undefined => page.items[0];
export const one = (job: Answer<operations["get_job"]>): Job => job;
export const models: (page: Answer<operations["list_models"]>) => string[] = (page) =>
  page.items.map((model) => model.address);

// And so has every refusal a form.
type Refusal = paths["/v1/jobs"]["get"]["responses"][503]["content"]["application/json"];
export const why = ({ code, message }: Refusal): string => `${code}: ${message}`;

export const open: NonNullable<paths["/v1/jobs"]["get"]["parameters"]["query"]> = { status: "open", limit: 10 };
