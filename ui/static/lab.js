// The score card of a client check: its cases, how to ask each, and the two clients that every browser has, run here. Whatever is shown is text.

const LANES = 3; // a browser opens no more than six connections to a server
const PATIENCE = 30_000; // ms, after which a client that says nothing is given up

// As the README has it: lines may be cut anywhere between two reads.
async function byFetch(base, seen) {
  const response = await fetch(`${base}/chat`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "Hello" }] }),
  });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", end;
  while (!end) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the stream broke off");
    const lines = (rest + value).split(/[\r\n]/);
    rest = lines.pop();
    for (const line of lines) {
      if (end || !line.startsWith("data:")) continue;
      const event = JSON.parse(line.slice(5));
      if (event.type === "delta") seen.text += event.text;
      if (event.done) end = event;
    }
  }
  if (end.type === "failed") throw new Error(end.message);
}

async function byEventSource(base, seen) {
  const started = await fetch(`${base}/chat`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "Hello" }], on_disconnect: "keep" }),
  });
  const id = started.headers.get("Headrace-Generation");
  await started.body.cancel();
  await new Promise((resolve, reject) => {
    const source = new EventSource(`${base}/chat/${id}`);
    seen.close = () => source.close();
    source.addEventListener("delta", ({ data }) => { seen.text += JSON.parse(data).text; });
    source.addEventListener("end", () => { source.close(); resolve(); });
    source.addEventListener("failed", ({ data }) => { source.close(); reject(new Error(JSON.parse(data).message)); });
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) reject(new Error("refused")); };
  });
}

const HERE = { fetch: byFetch, EventSource: byEventSource };

export default {
  template: `
    <section class="hr-card" :aria-label="words.card">
      <div class="hr-card-head">
        <h2>{{ run.client }} <small>{{ run.title }}</small></h2>
        <p role="status" class="hr-card-score" :data-left="run.left">{{ run.score }}</p>
      </div>
      <div class="hr-card-tools">
        <button v-if="run.here" type="button" class="hr-button hr-button-strong" :disabled="going" @click="go">{{ going ? words.going : words.here }}</button>
        <select class="hr-lanes-kind" :aria-label="words.show" v-model="kind">
          <option v-for="[value, name] in words.kinds" :value="value">{{ name }}</option>
        </select>
        <a :href="'/lab/runs/' + run.id + '?format=markdown'" download="card.md">Markdown</a>
        <a :href="'/lab/runs/' + run.id" download="card.json">JSON</a>
      </div>
      <div class="hr-card-scroll" tabindex="0" role="group" :aria-label="words.cases">
        <table>
          <thead><tr><th scope="col">{{ words.case }}</th><th scope="col">{{ words.expect }}</th><th scope="col">{{ words.verdict }}</th><th scope="col"><span class="hr-unseen">{{ words.decide }}</span></th></tr></thead>
          <tbody>
            <template v-for="row in shown" :key="row.name">
              <tr :data-case="row.name" :data-verdict="row.verdict">
                <td><button type="button" class="hr-card-name" :aria-expanded="open === row.name" @click="open = open === row.name ? '' : row.name"><code>{{ row.name }}</code></button><p lang="en">{{ row.does }}</p></td>
                <td lang="en">{{ row.expect }}</td>
                <td><b>{{ row.word }}</b><p lang="en">{{ row.remark }}</p></td>
                <td class="hr-card-decide">
                  <button type="button" class="hr-card-tick" :aria-label="words.pass.replace('{case}', row.name)" :title="words.pass.replace('{case}', row.name)" @click="$emit('decide', { case: row.name, passed: true })">✓</button>
                  <button type="button" class="hr-card-tick" :aria-label="words.fail.replace('{case}', row.name)" :title="words.fail.replace('{case}', row.name)" @click="$emit('decide', { case: row.name, passed: false })">✗</button>
                </td>
              </tr>
              <tr v-if="open === row.name" class="hr-card-more"><td colspan="4">
                <template v-for="[name, code] in codes(row)"><h3>{{ name }}
                  <button type="button" class="hr-act" :aria-label="words.copy" :title="words.copy" @click="copy(code)"><i aria-hidden="true">{{ copied === code ? "check" : "content_copy" }}</i></button></h3>
                  <pre tabindex="0">{{ code }}</pre></template>
                <template v-if="row.verdict"><h3>{{ words.reported }}</h3><pre tabindex="0">{{ row.reported }}</pre></template>
              </td></tr>
            </template>
          </tbody>
        </table>
      </div>
    </section>`,
  props: { words: Object, start: Object },
  emits: ["decide"],
  data() {
    return { run: this.start, kind: "", open: "", copied: "", going: false };
  },
  computed: {
    shown() {
      const wanted = { "": () => true, bad: (row) => row.bad, missing: (row) => !row.verdict };
      return this.run.rows.filter((row) => wanted[this.kind](row) || row.name === this.open);
    },
  },
  methods: {
    told(run) {
      this.run = run;
    },
    codes(row) {
      const base = `${location.origin}/lab/case/${this.run.id}/${row.name}${this.run.base}`;
      return [[this.words.base, base], ...this.run.codes.map(([name, code]) => [name, code.replaceAll("{base}", base)])];
    },
    async copy(code) {
      await navigator.clipboard.writeText(code);
      this.copied = code;
      setTimeout(() => { this.copied = ""; }, 1500);
    },
    async go() {
      this.going = true;
      const waiting = this.run.rows.map((row) => row.name);
      const work = async () => {
        for (let name; (name = waiting.shift());) await this.check(name);
      };
      await Promise.all(Array.from({ length: LANES }, work));
      this.going = false;
    },
    async check(name) {
      const seen = { text: "", error: null, silent: false };
      const base = `${location.origin}/lab/case/${this.run.id}/${name}`;
      const read = HERE[this.run.here](base, seen).catch((error) => { seen.error = String(error.message ?? error); });
      const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, "late"));
      seen.silent = (await Promise.race([read, late])) === "late";
      seen.close?.();
      const { text, error, silent } = seen;
      const body = JSON.stringify({ text, error, silent });
      await fetch(`/lab/runs/${this.run.id}/${name}`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    },
  },
};
