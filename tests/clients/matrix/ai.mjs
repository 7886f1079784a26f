// useChat's transport and the reader of its stream, as an app without React uses them.
import {DefaultChatTransport, readUIMessageStream} from "ai";
import {enough, job, run} from "./run.mjs";

const transport = (cell) => {
  const body = {model: cell.model, max_tokens: cell.limit, ...(cell.scene === "tools" ? {tools: job.tools} : {})};
  return new DefaultChatTransport({api: `${job.url}/ai/chat`, body});
};
const all = (message, type) => message.parts.filter((part) => part.type === type).map(({text}) => text).join("");

async function chat(cell, seen) {
  const messages = [{id: "question", role: "user", parts: [{type: "text", text: cell.scene}]}];
  const message = await read(cell, seen, messages);
  const calls = message.parts.filter(({type}) => type.startsWith("tool-"));
  seen.calls = calls.map(({type, input}) => [type.slice("tool-".length), input]);
  seen.ids = calls.map(({toolCallId}) => toolCallId);
  if (!calls.length || seen.error) return;
  for (const part of calls) Object.assign(part, {state: "output-available", output: job.results[part.type.slice("tool-".length)]});
  const then = {text: ""};
  const last = await read(cell, then, [...messages, message], message);
  seen.answer = all({parts: last.parts.slice(last.parts.findLastIndex(({type}) => type === "step-start"))}, "text");
}

async function read(cell, seen, messages, message) {
  const abort = new AbortController();
  const about = {chatId: `${cell.model} ${cell.scene}`, messages, trigger: "submit-message", abortSignal: abort.signal};
  const [chunks, shown] = (await transport(cell).sendMessages(about)).tee();
  let last = message;
  const watch = async () => {
    for await (const chunk of chunks) if (chunk.type === "finish") seen.finish = chunk.finishReason;
  };
  const show = async () => {
    for await (const state of readUIMessageStream({message, stream: shown, terminateOnError: true})) {
      last = state;
      seen.text = all(state, "text");
      seen.reasoning = all(state, "reasoning");
      const {inputTokens, outputTokens, reasoningTokens, totalTokens} = state.metadata?.usage ?? {};
      seen.usage = {input: inputTokens ?? null, output: outputTokens ?? null, reasoning: reasoningTokens ?? null, total: totalTokens ?? null};
      if (enough(cell, seen)) abort.abort();
    }
  };
  const [shownAll, watched] = await Promise.allSettled([show(), watch()]);
  for (const {reason} of [shownAll, watched]) if (reason) throw reason;
  return last;
}

await run({"node ai": chat});
