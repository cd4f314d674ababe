/** What a server tells Prometheus, as Prometheus reads it: the text format of version 0.0.4. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/gy;

/** Throws for a line that Prometheus would refuse, and for a series that is there twice. */
export async function scrape(url: string): Promise<readonly Sample[]> {
  const response = await fetch(`${url}/metrics`);
  const lines = (await response.text()).split('\n');
  const samples = lines.filter((text) => text !== '' && !text.startsWith('#')).map(sample);
  const series = samples.map(({ name, labels }) =>
    JSON.stringify([name, Object.entries(labels).sort()]),
  );
  const twice = series.find((one, at) => series.indexOf(one) !== at);
  if (twice !== undefined) throw new Error(`a series is there twice: ${twice}`);
  return samples;
}

function sample(text: string): Sample {
  const [, name = '', inside = '', value = ''] = line.exec(text) ?? [];
  const labels = [...inside.matchAll(label)];
  const isWhole = labels.map(([whole]) => whole).join('') === inside;
  const number = Number(value.replace(/^([+-]?)inf$/i, '$1Infinity'));
  const isNumber = !Number.isNaN(number) || /^nan$/i.test(value); // in any case, says Go
  if (name === '' || !isWhole || !isNumber) throw new Error(`no sample: ${text}`);
  return {
    name,
    labels: Object.fromEntries(labels.map(([, key = '', of = '']) => [key, of])),
    value: number,
  };
}
