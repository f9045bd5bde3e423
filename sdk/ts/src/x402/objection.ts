// Why a receipt is not paid. Nothing more is asked of a provider whose receipt is objected to.

export type ObjectionCode =
  | "Context" | "Signature" | "Sequence" | "Request" | "Unknown" | "Response" | "Overcharged" | "Unpayable" | "AboveOrder" | "Withheld" | "Usage";

export class Objection extends Error {
  override readonly name = "Objection";

  constructor(readonly code: ObjectionCode, message: string) {
    super(message);
  }
}
