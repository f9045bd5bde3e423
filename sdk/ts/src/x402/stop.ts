// Why nothing can be asked for.

export type StopCode =
  /** Other requests have to end first. */
  | "wait"
  | "budget" | "channel" | "session_ends"
  /** Too many answers in a row never came and had to be paid. */
  | "missed"
  /** The provider was caught. */
  | "caught";

export class Stop extends Error {
  override readonly name = "Stop";

  constructor(readonly code: StopCode, message: string) {
    super(message);
  }
}
