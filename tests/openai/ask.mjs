// Asks a gateway through one of OpenAI's libraries for Node, and prints what the library made of each answer, one JSON object a
// line. node ask.mjs <library> <base url> <question>...

const [library, baseURL, ...questions] = process.argv.slice(2);
const { default: OpenAI } = await import(library);
const client = new OpenAI({ baseURL, apiKey: "unused", maxRetries: 0 });

async function ask(question, stream) {
  const said = { text: "", calls: "", finish: null, usage: null, error: null, status: null };
  try {
    const messages = [{ role: "user", content: question }];
    const more = stream ? { stream, stream_options: { include_usage: true } } : {};
    const answer = await client.chat.completions.create({ model: "digits", messages, ...more });
    for await (const part of stream ? answer : [answer]) {
      said.usage = part.usage?.completion_tokens ?? said.usage;
      for (const choice of part.choices) {
        const words = stream ? choice.delta : choice.message;
        said.text += words.content ?? "";
        for (const call of words.tool_calls ?? []) {
          said.calls += (call.function.name ?? "") + (call.function.arguments ?? "");
        }
        said.finish = choice.finish_reason ?? said.finish;
      }
    }
  } catch (error) {
    said.error = String(error?.message ?? error);
    said.status = error?.status ?? null;
  }
  return said;
}

for (const question of questions) {
  console.log(JSON.stringify({ question, ...(await ask(question, !question.startsWith("whole"))) }));
}
