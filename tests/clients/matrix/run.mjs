// What the readers of the matrix share: the cells to read come as JSON in the last argument, what was seen goes to stdout.
export const job = JSON.parse(process.argv.at(-1));

const blank = () => ({text: "", reasoning: "", calls: [], ids: [], finish: null, usage: null, error: null, answer: null});

// `readers` by client: each takes a cell and writes into `seen` as it reads; what it throws is part of what is seen.
export async function run(readers) {
  const read = async (cell) => {
    const seen = blank();
    try {
      await readers[cell.client]({...cell, scene: cell.scene.replace("whole ", ""), whole: cell.scene.startsWith("whole ")}, seen);
    } catch (error) {
      seen.error = {kind: error.constructor.name, status: error.status ?? error.status_code ?? null, message: error.message};
    }
    return {...cell, seen};
  };
  const all = await Promise.all(job.cells.filter(({client}) => client in readers).map(read));
  await new Promise((done) => process.stdout.write(JSON.stringify(all), done));
  process.exit(0); // connections that are kept alive would hold the process for seconds
}

// What an SDK made of the pieces, or was given whole. It must be what the pieces say.
export function joined(cell, seen, text, reasoning) {
  if (!cell.whole && (seen.text !== text || seen.reasoning !== reasoning)) {
    throw new Error(`in pieces ${JSON.stringify([seen.text, seen.reasoning])}, joined ${JSON.stringify([text, reasoning])}`);
  }
  Object.assign(seen, {text, reasoning});
}

export const enough = (cell, seen) => cell.scene === "slow" && seen.text.length > 8;
