// The decoder for browsers without one of their own. A chunk of its own, loaded with the first picture; its WebAssembly is an asset of this
// page, so no third party hears of a scan.

import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url';

prepareZXingModule({ overrides: { locateFile: () => wasm } });

/** The texts of the codes in a picture. */
export async function decodePicture(picture: ImageData): Promise<string[]> {
  const found = await readBarcodes(picture, {
    formats: ['QRCode', 'EAN-13', 'EAN-8', 'UPC-A', 'Code128'],
    maxNumberOfSymbols: 1,
  });
  return found.filter((code) => code.isValid).map((code) => code.text);
}
