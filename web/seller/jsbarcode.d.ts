/** The library describes its main function only, which brings every other kind of barcode along. */
declare module 'jsbarcode/bin/barcodes/CODE128/index.js' {
  export class CODE128 {
    constructor(text: string, options: object);
    /** `1` for a bar and `0` for a gap, each one unit wide. */
    encode(): { data: string };
  }
}
