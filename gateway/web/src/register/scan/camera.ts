// Reads codes with the camera: by the browser's own detector where there is one, else by a decoder (WebAssembly) that is served from here
// and loaded when it is first needed. No picture leaves the page.

/** Reads what one picture shows. */
type Reader = (video: HTMLVideoElement) => Promise<string[]>;

/** Why there is no picture. */
export type CameraFault = 'denied' | 'none' | 'insecure' | 'failed';

/** Between two looks, in milliseconds. */
const PAUSE_MS = 150;

interface Detector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

const FORMATS = ['qr_code', 'ean_13', 'ean_8', 'upc_a', 'code_128'];

/** Opens the camera that looks away from the person. */
export async function openCamera(): Promise<MediaStream | CameraFault> {
  if (!navigator.mediaDevices?.getUserMedia) return 'insecure';
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
    return name === 'NotFoundError' || name === 'OverconstrainedError' ? 'none' : 'failed';
  }
}

/** Looks at the picture until a code is seen; `undefined` once `signal` says to stop. */
export async function readCode(video: HTMLVideoElement, signal: AbortSignal): Promise<string | undefined> {
  const read = (await nativeReader()) ?? (await wasmReader());
  while (!signal.aborted) {
    const [text] = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? await read(video) : [];
    if (text !== undefined && text !== '') return text;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return undefined;
}

async function nativeReader(): Promise<Reader | undefined> {
  const detectors = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
  if (!detectors) return undefined;
  try {
    const supported = await detectors.getSupportedFormats();
    if (!supported.includes('qr_code')) return undefined;
    const detector = new detectors({ formats: FORMATS.filter((format) => supported.includes(format)) });
    return async (video) => (await detector.detect(video)).map((code) => code.rawValue);
  } catch {
    return undefined;
  }
}

async function wasmReader(): Promise<Reader> {
  const { decodePicture } = await import('./decoder.ts');
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  return async (video) => {
    if (!context || video.videoWidth === 0) return [];
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    context.drawImage(video, 0, 0);
    return decodePicture(context.getImageData(0, 0, canvas.width, canvas.height));
  };
}
