import {EventSource} from "eventsource";
import {EventSourceParserStream} from "eventsource-parser/stream";
import {answered, events, post, reader} from "./native.mjs";
import {enough, job, run} from "./run.mjs";

// The stream of the POST itself; who leaves it stops the reply.
async function parsed(cell, seen, messages) {
  const abort = new AbortController();
  const response = await post(job, cell, {tools: cell.scene === "tools" ? job.tools : undefined, messages}, abort.signal);
  const stream = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const {event, data} of stream) {
    events[event]?.(seen, JSON.parse(data));
    if (enough(cell, seen)) return abort.abort();
  }
  if (!seen.calls.length || messages) return;
  const then = {text: "", reasoning: "", calls: [], ids: []};
  await parsed(cell, then, answered(job, cell, seen));
  seen.answer = then.text;
}

await run({"node eventsource": reader(job, EventSource), "node eventsource-parser": parsed});
