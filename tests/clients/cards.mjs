// The official SDKs for Node as their own READMEs read a stream. The job comes as JSON in the last argument, what was seen goes to stdout:
// in its last line, of each case its text, and the error if one was thrown, or told by an event.
import Anthropic from "@anthropic-ai/sdk";
import {createAnthropic} from "@ai-sdk/anthropic";
import {createOpenAI} from "@ai-sdk/openai";
import {GoogleGenAI} from "@google/genai";
import {DefaultChatTransport, readUIMessageStream, streamText} from "ai";
import {Ollama} from "ollama";
import OpenAI from "openai";

const job = JSON.parse(process.argv.at(-1));
const messages = [{role: "user", content: "Hello"}];
const openai = (url) => new OpenAI({baseURL: url, apiKey: "none"});

async function* openaiChat(url, careful) {
  let reason = null;
  for await (const {choices} of await openai(url).chat.completions.create({model: "any", messages, stream: true})) {
    yield choices[0]?.delta?.content ?? "";
    reason = choices[0]?.finish_reason ?? reason;
  }
  if (careful && reason === null) throw new Error("no finish_reason");
}

async function* openaiResponses(url) {
  for await (const event of await openai(url).responses.create({model: "any", input: "Hello", stream: true})) {
    if (event.type === "response.output_text.delta") yield event.delta;
    else if (["error", "response.failed", "response.incomplete"].includes(event.type)) throw new Error(event.type);
  }
}

async function* anthropicMessages(url) {
  const stream = new Anthropic({baseURL: url, apiKey: "none"}).messages.stream({model: "any", max_tokens: 500, messages});
  for await (const {type, delta} of stream) if (type === "content_block_delta") yield delta.text ?? "";
  await stream.finalMessage();
}

async function* gemini(url) {
  const {models} = new GoogleGenAI({apiKey: "none", httpOptions: {baseUrl: url}});
  for await (const {text} of await models.generateContentStream({model: "any", contents: "Hello"})) yield text ?? "";
}

async function* ollamaChat(url) {
  for await (const line of await new Ollama({host: url}).chat({model: "any", messages, stream: true})) yield line.message.content;
}

async function* ollamaGenerate(url) {
  for await (const line of await new Ollama({host: url}).generate({model: "any", prompt: "Hello", stream: true})) yield line.response;
}

async function* text(model) {
  for await (const part of streamText({model, messages, onError: () => {}}).fullStream) {
    if (part.type === "text-delta") yield part.text;
    if (part.type === "error") throw part.error;
  }
}

async function* useChat(url) {
  const question = [{id: "question", role: "user", parts: [{type: "text", text: "Hello"}]}];
  const about = {chatId: url, messages: question, trigger: "submit-message"};
  const stream = await new DefaultChatTransport({api: `${url}/ai/chat`}).sendMessages(about);
  let seen = "";
  for await (const {parts} of readUIMessageStream({stream, terminateOnError: true})) {
    const all = parts.filter(({type}) => type === "text").map(({text}) => text).join("");
    yield all.slice(seen.length);
    seen = all;
  }
}

const clients = {
  "openai chat": (url) => openaiChat(url, false),
  "openai chat careful": (url) => openaiChat(url, true),
  "openai responses": openaiResponses,
  anthropic: anthropicMessages,
  gemini,
  "ollama chat": ollamaChat,
  "ollama generate": ollamaGenerate,
  "ai openai": (url) => text(createOpenAI({baseURL: url, apiKey: "none"}).chat("any")),
  "ai anthropic": (url) => text(createAnthropic({baseURL: `${url}/v1`, apiKey: "none"})("any")),
  "ai useChat": useChat,
};

process.on("unhandledRejection", () => {}); // it belongs to a case that has its error already, or to one that is given up

async function check({name, base_url}) {
  const seen = {name, text: "", error: null, silent: false};
  const read = async () => {
    try {
      for await (const piece of clients[job.client](base_url)) seen.text += piece;
    } catch (error) {
      seen.error = String(error?.message ?? error);
    }
  };
  const late = new Promise((resolve) => setTimeout(resolve, job.patience * 1000, "late"));
  if ((await Promise.race([read(), late])) === "late") seen.silent = true;
  return {...seen};
}

const waiting = [...job.cases], told = [];
const work = async () => { for (let one; (one = waiting.shift());) told.push(await check(one)); };
await Promise.all(Array.from({length: job.lanes}, work));
await new Promise((done) => process.stdout.write(`\n${JSON.stringify(told)}`, done));
process.exit(0); // what was given up would hold the process
