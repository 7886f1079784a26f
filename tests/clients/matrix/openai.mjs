import OpenAI from "openai";
import {enough, job, joined, run} from "./run.mjs";

const client = new OpenAI({baseURL: `${job.url}/v1`, apiKey: "none", maxRetries: 0});
const offered = (cell) => (cell.scene === "tools" ? {tools: job.tools} : {});
const counts = (usage, into, out, details) =>
  usage && {input: usage[into], output: usage[out], reasoning: usage[details]?.reasoning_tokens ?? null, total: usage.total_tokens};

async function chat(cell, seen, messages = [{role: "user", content: cell.scene}]) {
  const asked = {model: cell.model, messages, max_tokens: cell.limit, ...offered(cell)};
  if (cell.whole) return chatSeen(cell, seen, messages, await client.chat.completions.create(asked));
  const stream = client.chat.completions.stream({...asked, stream_options: {include_usage: true}});
  stream.on("error", () => {}); // finalChatCompletion() rejects with it
  stream.on("chunk", ({choices}) => {
    seen.text += choices[0]?.delta?.content ?? "";
    seen.reasoning += choices[0]?.delta?.reasoning_content ?? "";
    if (enough(cell, seen)) stream.abort();
  });
  await chatSeen(cell, seen, messages, await stream.finalChatCompletion());
}

async function chatSeen(cell, seen, messages, completion) {
  const [{message, finish_reason}] = completion.choices;
  // Of fields that are not OpenAI's own the stream's helper keeps the last piece only.
  joined(cell, seen, message.content ?? "", cell.whole ? message.reasoning_content ?? "" : seen.reasoning);
  seen.finish = finish_reason;
  seen.usage = counts(completion.usage, "prompt_tokens", "completion_tokens", "completion_tokens_details");
  const calls = message.tool_calls ?? [];
  seen.calls = calls.map(({function: {name, arguments: text}}) => [name, JSON.parse(text)]);
  seen.ids = calls.map(({id}) => id);
  if (!calls.length || messages.length > 1) return;
  const results = calls.map(({id, function: {name}}) => ({role: "tool", tool_call_id: id, content: job.results[name]}));
  const then = {model: cell.model, messages: [...messages, message, ...results], max_tokens: cell.limit, tools: job.tools};
  seen.answer = (await client.chat.completions.create(then)).choices[0].message.content;
}

async function completions(cell, seen) {
  const asked = {model: cell.model, prompt: cell.scene, max_tokens: cell.limit};
  const stream = cell.whole
    ? [await client.completions.create(asked)]
    : await client.completions.create({...asked, stream: true, stream_options: {include_usage: true}});
  for await (const {choices, usage} of stream) {
    seen.text += choices[0]?.text ?? "";
    seen.finish = choices[0]?.finish_reason ?? seen.finish;
    seen.usage = counts(usage, "prompt_tokens", "completion_tokens", "completion_tokens_details") ?? seen.usage;
    if (enough(cell, seen)) break; // the SDK aborts the request
  }
}

async function responses(cell, seen, input = [{role: "user", content: cell.scene}]) {
  const tools = job.tools.map(({function: tool}) => ({type: "function", ...tool, strict: false}));
  const asked = {model: cell.model, input, max_output_tokens: cell.limit, ...(cell.scene === "tools" ? {tools} : {})};
  if (cell.whole) return responseSeen(cell, seen, input, tools, await client.responses.create(asked));
  const stream = client.responses.stream(asked);
  for await (const event of stream) {
    if (event.type === "response.output_text.delta") seen.text += event.delta;
    if (event.type === "response.reasoning_summary_text.delta") seen.reasoning += event.delta;
    if (enough(cell, seen)) return stream.abort();
  }
  await responseSeen(cell, seen, input, tools, await stream.finalResponse());
}

async function responseSeen(cell, seen, input, tools, response) {
  joined(cell, seen, response.output_text, response.output.flatMap(({summary}) => summary ?? []).map(({text}) => text).join(""));
  seen.finish = response.incomplete_details?.reason ?? response.status;
  seen.usage = counts(response.usage, "input_tokens", "output_tokens", "output_tokens_details");
  const calls = response.output.filter(({type}) => type === "function_call");
  seen.calls = calls.map(({name, arguments: text}) => [name, JSON.parse(text)]);
  seen.ids = calls.map(({call_id}) => call_id);
  if (!calls.length) return;
  const results = calls.map(({call_id, name}) => ({type: "function_call_output", call_id, output: job.results[name]}));
  const then = {model: cell.model, input: [...input, ...response.output, ...results], max_output_tokens: cell.limit, tools};
  seen.answer = (await client.responses.create(then)).output_text;
}

await run({"node openai chat": chat, "node openai completions": completions, "node openai responses": responses});
