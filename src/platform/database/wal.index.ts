import { readSync } from 'node:fs';

/** Of https://www.sqlite.org/walformat.html: the header of the index in the -shm file, and of the -wal file. */
const INDEX_BYTES = 48;
const PAGE_SIZE_OFFSET = 14;
const FRAMES_OFFSET = 16;
const SALT_OFFSET = 32;
const WAL_HEADER_BYTES = 32;
const WAL_SALT_OFFSET = 16;
const SALT_BYTES = 8;
const FRAME_HEADER_BYTES = 24;

/** Reused, because every commit reads them. */
const index = Buffer.alloc(INDEX_BYTES);
const header = Buffer.alloc(WAL_HEADER_BYTES);

/** Whether the WAL of this size holds the committed pages that its index counts: it was not truncated or overwritten. */
export function holdsCommits(wal: number, walBytes: number, shm: number): boolean {
  if (readSync(shm, index, 0, INDEX_BYTES, 0) < INDEX_BYTES) return false;
  const [pageSizeCode = 0] = new Uint16Array(index.buffer, index.byteOffset + PAGE_SIZE_OFFSET, 1);
  const [frames = 0] = new Uint32Array(index.buffer, index.byteOffset + FRAMES_OFFSET, 1);
  if (frames === 0) return true;
  // 65,536 does not fit, and is stored as 1.
  const pageSize = pageSizeCode === 1 ? 65_536 : pageSizeCode;
  const headerBytes = readSync(wal, header, 0, WAL_HEADER_BYTES, 0);
  const salt = header.subarray(WAL_SALT_OFFSET, WAL_SALT_OFFSET + SALT_BYTES);
  return (
    headerBytes === WAL_HEADER_BYTES &&
    salt.equals(index.subarray(SALT_OFFSET, SALT_OFFSET + SALT_BYTES)) &&
    walBytes >= WAL_HEADER_BYTES + frames * (FRAME_HEADER_BYTES + pageSize)
  );
}
