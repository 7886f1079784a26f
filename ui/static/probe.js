// What this browser sees of a stream of Headrace: when each event comes, whether it is compressed, and how many streams it has at a time.
// What stands in between, a proxy or an extension, is measured with it.

async function probe(ticket, streams, patience) {
  const url = `/lab/probe/${ticket}`, began = performance.now(), waits = [];
  const seen = { first: 0, held: 0, encoding: "", protocol: "", ended: false, seconds: 0, streams: 0 };
  try {
    const response = await fetch(url, { cache: "no-store" });
    seen.encoding = response.headers.get("content-encoding") ?? "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines.filter((each) => each.startsWith("data:"))) {
        waits.push(performance.now() - began - JSON.parse(line.slice(5)).at * 1000);
        seen.first ||= performance.now() - began;
      }
    }
    seen.ended = response.ok;
  } catch { /* it was cut: `ended` says so */ }
  seen.seconds = (performance.now() - began) / 1000;
  seen.held = waits.length ? Math.max(...waits) - Math.min(...waits) : 0;
  seen.protocol = performance.getEntriesByType("resource").findLast(({ name }) => name.endsWith(url))?.nextHopProtocol ?? "";
  const abort = new AbortController();
  const one = async () => {
    const response = await fetch(`${url}?short`, { cache: "no-store", signal: abort.signal });
    await response.body.getReader().read();
    seen.streams += response.ok;
  };
  const all = Array.from({ length: streams }, () => one().catch(() => {}));
  await Promise.race([Promise.all(all), new Promise((resolve) => setTimeout(resolve, patience))]);
  const counted = seen.streams;
  abort.abort();
  return { ...seen, streams: counted };
}
