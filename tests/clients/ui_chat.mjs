// A chat as @ai-sdk/react's useChat holds it, without React: the SDK's own AbstractChat and DefaultChatTransport, state in plain arrays.
import {AbstractChat, DefaultChatTransport, lastAssistantMessageIsCompleteWithToolCalls} from "ai";

class State {
  messages = [];
  status = "ready";
  error = undefined;
  pushMessage = (message) => { this.messages = [...this.messages, message]; };
  popMessage = () => { this.messages = this.messages.slice(0, -1); };
  replaceMessage = (index, message) => { this.messages = this.messages.with(index, message); };
  snapshot = (value) => structuredClone(value);
}

export class Chat extends AbstractChat {
  constructor({api, body, id, messages = [], ...more}) {
    const state = new State();
    state.messages = messages;
    super({id, state, transport: new DefaultChatTransport({api, body}), ...more});
    this.plain = state;
  }
  get text() {
    return this.messages.at(-1).parts.filter((part) => part.type === "text").map((part) => part.text).join("");
  }
}

export const whenToolsAnswered = lastAssistantMessageIsCompleteWithToolCalls;
export const until = async (holds) => { while (!holds()) await new Promise((go) => setTimeout(go, 5)); };
export const tell = (value) => process.stdout.write(JSON.stringify(value) + "\n");
export const api = process.argv.at(-1);
