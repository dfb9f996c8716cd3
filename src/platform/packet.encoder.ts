import { Decoder, Encoder, type Packet, PacketType } from 'socket.io-parser';
import { knownJsonText } from './json.text.js';

/**
 * Socket.IO's encoder, for a hub that never sends binary data: it need not look through every answer for some, and what was
 * written as JSON already, for another socket, goes out as it is.
 */
class TextEncoder extends Encoder {
  override encode(packet: Packet): (string | Buffer)[] {
    const { type, nsp, id, data } = packet;
    const isPlain = (type === PacketType.EVENT || type === PacketType.ACK) && nsp === '/' && Array.isArray(data);
    if (!isPlain) return super.encode(packet);
    const values = data.map((value: unknown) => knownJsonText(value) ?? JSON.stringify(value) ?? 'null');
    return [`${type}${id ?? ''}[${values.join()}]`];
  }
}

/** How packets are written and read, for Socket.IO's `parser` option. */
export const packetParser = { Encoder: TextEncoder, Decoder };
