// A stream that is handed on as it comes, and is read along.

import { PaymentError } from "./failure.js";
import type { Stream } from "./stream.js";

export interface Ends {
  /** Takes the receipt, before the reader sees the end. What it throws, the reader gets. `isCut` when the stream broke off. */
  finish(isCut: boolean): Promise<void>;
  /** The reader has gone away, or gets this error. */
  lost(error?: unknown): Promise<void>;
  /** Nothing more is waited for. */
  over(): void;
}

/** The same bytes; it ends when its receipt is taken, and fails when that is not right. At most `most` bytes. */
export function handOn(answer: Response, stream: Stream, most: number, { finish, lost, over }: Ends): Response {
  const reader = answer.body!.getReader();
  let [length, isTaken] = [0, false];
  const passed = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read().catch(() => ({ done: "cut" as const, value: undefined }));
        if (done) {
          over();
          if (!isTaken) await finish(done === "cut");
          return controller.close();
        }
        length += value!.length;
        if (length > most) throw new PaymentError("too_long", `the answer is longer than ${most} bytes`);
        stream.push(value!);
        // Many stop reading here; what is wrong they are to see before.
        if (stream.isOver && !isTaken && stream.end()) {
          isTaken = true;
          await finish(false);
        }
        controller.enqueue(value!);
      } catch (error) {
        over();
        await reader.cancel(error).catch(() => {});
        await lost(error);
        controller.error(error);
      }
    },
    // Whoever goes away owes what was sent; the receipt for it turns up when the provider is asked.
    cancel: async (reason) => {
      over();
      await reader.cancel(reason).catch(() => {});
      await lost();
    },
  });
  return new Response(passed, answer);
}
