import Anthropic from "@anthropic-ai/sdk";
import {enough, job, joined, run} from "./run.mjs";

const client = new Anthropic({baseURL: job.url, apiKey: "none", maxRetries: 0});
const LONG = {timeout: 30_000}; // the SDK waits for a long answer that is not streamed only if it is told how long
const tools = job.tools.map(({function: {name, description, parameters}}) => ({name, description, input_schema: parameters}));

async function messages(cell, seen) {
  const said = [{role: "user", content: cell.scene}];
  const asked = {model: cell.model, messages: said, max_tokens: cell.limit, ...(cell.scene === "tools" ? {tools} : {})};
  const message = cell.whole ? await client.messages.create(asked, LONG) : await streamed(cell, seen, asked);
  if (message) await messageSeen(cell, seen, said, message);
}

async function streamed(cell, seen, asked) {
  const stream = client.messages.stream(asked);
  for await (const {type, delta} of stream) {
    if (type !== "content_block_delta") continue;
    seen.text += delta.text ?? "";
    seen.reasoning += delta.thinking ?? "";
    if (enough(cell, seen)) return stream.abort();
  }
  return stream.finalMessage();
}

async function messageSeen(cell, seen, said, message) {
  const all = (field) => message.content.map((block) => block[field] ?? "").join("");
  joined(cell, seen, all("text"), all("thinking"));
  seen.finish = message.stop_reason;
  const {input_tokens, output_tokens, output_tokens_details} = message.usage;
  seen.usage = {input: input_tokens, output: output_tokens, reasoning: output_tokens_details?.thinking_tokens ?? null, total: null};
  const calls = message.content.filter(({type}) => type === "tool_use");
  seen.calls = calls.map(({name, input}) => [name, input]);
  seen.ids = calls.map(({id}) => id);
  if (!calls.length) return;
  const content = calls.map(({id, name}) => ({type: "tool_result", tool_use_id: id, content: job.results[name]}));
  const then = [...said, {role: "assistant", content: message.content}, {role: "user", content}];
  const last = await client.messages.create({model: cell.model, messages: then, max_tokens: cell.limit, tools}, LONG);
  seen.answer = last.content.map(({text}) => text ?? "").join("");
}

await run({"node anthropic": messages});
