import {Ollama} from "ollama";
import {enough, job, run} from "./run.mjs";

async function chat(cell, seen) {
  const client = new Ollama({host: job.url});
  const messages = [{role: "user", content: cell.scene}];
  const about = {model: cell.model, options: {num_predict: cell.limit}, ...(cell.scene === "tools" ? {tools: job.tools} : {})};
  const stream = cell.whole ? [await client.chat({...about, messages})] : await client.chat({...about, messages, stream: true});
  const calls = [];
  for await (const line of stream) {
    seen.text += line.message.content;
    seen.reasoning += line.message.thinking ?? "";
    calls.push(...(line.message.tool_calls ?? []));
    ended(line, seen);
    if (enough(cell, seen)) return stream.abort();
  }
  seen.calls = calls.map(({function: {name, arguments: input}}) => [name, input]);
  if (!calls.length) return;
  const said = {role: "assistant", content: seen.text, thinking: seen.reasoning, tool_calls: calls};
  const results = calls.map(({function: {name}}) => ({role: "tool", tool_name: name, content: job.results[name]}));
  seen.answer = (await client.chat({...about, messages: [...messages, said, ...results]})).message.content;
}

async function generate(cell, seen) {
  const client = new Ollama({host: job.url});
  const asked = {model: cell.model, prompt: cell.scene, options: {num_predict: cell.limit}};
  const stream = cell.whole ? [await client.generate(asked)] : await client.generate({...asked, stream: true});
  for await (const line of stream) {
    seen.text += line.response;
    seen.reasoning += line.thinking ?? "";
    ended(line, seen);
    if (enough(cell, seen)) return stream.abort();
  }
}

function ended({done, done_reason, prompt_eval_count, eval_count}, seen) {
  if (!done) return;
  seen.finish = done_reason;
  seen.usage = {input: prompt_eval_count, output: eval_count, reasoning: null, total: null};
}

await run({"node ollama chat": chat, "node ollama generate": generate});
