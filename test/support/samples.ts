/** The samples of a hub's metrics: `name{label="value"}` → value. */
export async function samplesOf({ url }: { url: string }): Promise<Map<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const samples = text.matchAll(/^(\w+(?:\{.*\})?) (\S+)$/gm);
  return new Map([...samples].map(([, sample = '', value]) => [sample, Number(value)]));
}
