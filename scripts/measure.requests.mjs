import { Agent, request } from 'node:http';

/** Posts JSON over connections that are kept, with a bearer token if there is one. Resolves with the parsed answer of a success. */
export function keptConnections(inFlight) {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const post = (url, body, token) => {
    const text = JSON.stringify(body);
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    if (token) headers.Authorization = `Bearer ${token}`;
    return new Promise((resolve, reject) => {
      const sent = request(url, { method: 'POST', agent, headers }, (response) => {
        let received = '';
        response.setEncoding('utf8').on('data', (chunk) => {
          received += chunk;
        });
        response.on('end', () =>
          response.statusCode < 400 ? resolve(JSON.parse(received)) : reject(new Error(received)),
        );
      });
      sent.once('error', reject).end(text);
    });
  };
  return { post, close: () => agent.destroy() };
}

/** User and system time of the hub's process. */
export async function cpuSeconds(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)[1]);
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
