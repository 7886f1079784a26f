// POST /chat and its events, read by any EventSource: no import here, because a browser reads with these functions, too.
export async function post(job, cell, more, signal) {
  const {tools, messages = [{role: "user", content: cell.scene}]} = more;
  const body = JSON.stringify({messages, max_tokens: cell.limit, ...(tools ? {tools} : {}), ...more.body});
  const headers = {"content-type": "application/json"};
  const response = await fetch(`${job.url}/chat?model=${cell.model}`, {method: "POST", headers, body, signal});
  if (!response.ok) throw Object.assign(new Error(await response.text()), {status: response.status});
  return response;
}

// What each event adds to what is seen.
export const events = {
  delta: (seen, {text}) => { seen.text += text; },
  reasoning: (seen, {text}) => { seen.reasoning += text; },
  tool: (seen, {id, name, input}) => {
    if (input === undefined) return;
    seen.calls.push([name, input]);
    seen.ids.push(id);
  },
  usage: (seen, {input_tokens, output_tokens, reasoning_tokens, total_tokens}) => {
    seen.usage = {input: input_tokens ?? null, output: output_tokens ?? null, reasoning: reasoning_tokens ?? null, total: total_tokens ?? null};
  },
  end: (seen, {reason}) => { seen.finish = reason; },
  failed: (seen, {code, status, message, upstream}) => { seen.error = {kind: code, status: status ?? null, message, upstream}; },
};

// The history of a tool loop: what was seen, and the tools' results.
export function answered(job, cell, seen) {
  const call = ([name, input], index) => ({id: seen.ids[index], type: "function", function: {name, arguments: JSON.stringify(input)}});
  const said = {role: "assistant", content: seen.text, reasoning_content: seen.reasoning, tool_calls: seen.calls.map(call)};
  const results = seen.calls.map(([name], index) => ({role: "tool", tool_call_id: seen.ids[index], content: job.results[name]}));
  return [{role: "user", content: cell.scene}, said, ...results];
}

export function reader(job, EventSource) {
  return async function read(cell, seen, messages) {
    const body = {on_disconnect: "keep"};
    const response = await post(job, cell, {tools: cell.scene === "tools" ? job.tools : undefined, messages, body});
    const id = response.headers.get("headrace-generation");
    await response.body.cancel();
    await new Promise((resolve, reject) => {
      const source = new EventSource(`${job.url}/chat/${id}`);
      source.onerror = (event) => { source.close(); reject(new Error(`the EventSource failed: ${event.message ?? ""}`)); };
      for (const [type, see] of Object.entries(events)) {
        source.addEventListener(type, async ({data}) => {
          see(seen, JSON.parse(data));
          if (type === "end" || type === "failed") { source.close(); resolve(); }
          if (cell.scene === "slow" && type === "delta" && seen.text.length > 8) {
            source.close();
            resolve(await fetch(`${job.url}/chat/${id}`, {method: "DELETE"}));
          }
        });
      }
    });
    if (!seen.calls.length || messages) return;
    const then = {text: "", reasoning: "", calls: [], ids: []};
    await read(cell, then, answered(job, cell, seen));
    seen.answer = then.text;
  };
}
