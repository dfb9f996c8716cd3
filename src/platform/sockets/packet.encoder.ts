import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';
import { cachedJson } from './json.cache.js';

/** Socket.IO's encoder without the search for binary data, which the hub never sends, and with cached JSON. */
class TextEncoder extends Encoder {
  override encode(packet: Packet): (string | Buffer)[] {
    const { type, nsp, id, data } = packet;
    const isPlain = (type === PacketType.EVENT || type === PacketType.ACK) && nsp === '/' && Array.isArray(data);
    if (!isPlain) return super.encode(packet);
    const values = data.map((value: unknown) => cachedJson(value) ?? JSON.stringify(value) ?? 'null');
    return [`${type}${id ?? ''}[${values.join()}]`];
  }
}

/** For Socket.IO's `parser` option. */
export const packetParser = { Encoder: TextEncoder, Decoder };
