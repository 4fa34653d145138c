// The camera as a scanner, and a plain note where there is none.

import { useEffect, useRef, useState } from 'preact/hooks';
import { type CameraFault, openCamera, readCode } from '../scan/camera.ts';
import { words } from '../words.ts';

export function Camera({ onCode, onClose }: { onCode: (text: string) => void; onClose: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [fault, setFault] = useState<CameraFault>();
  useEffect(() => {
    const over = new AbortController();
    void look(video.current, over.signal).then((end) => {
      if (over.signal.aborted) return;
      if ('fault' in end) setFault(end.fault);
      else onCode(end.code);
    });
    return () => over.abort();
  }, []);
  const text = words().camera;
  return (
    <div class="stack">
      {fault ? (
        <p class="note bad" role="alert">
          {text[fault]}
        </p>
      ) : (
        <p>{text.looking}</p>
      )}
      {!fault && <video ref={video} class="picture" autoplay muted playsinline />}
      <button type="button" onClick={onClose}>
        {words().close}{' '}
        <span class="key" aria-hidden="true">
          Esc
        </span>
      </button>
    </div>
  );
}

/** Opens the camera, looks for a code, and lets the camera go again. */
async function look(
  video: HTMLVideoElement | null,
  signal: AbortSignal,
): Promise<{ code: string } | { fault: CameraFault }> {
  const stream = await openCamera();
  if (typeof stream === 'string') return { fault: stream };
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
  };
  signal.addEventListener('abort', stop);
  if (!video || signal.aborted) {
    stop();
    return { fault: 'failed' };
  }
  video.srcObject = stream;
  try {
    const code = await readCode(video, signal);
    return code === undefined ? { fault: 'failed' } : { code };
  } catch {
    return { fault: 'failed' };
  } finally {
    stop();
  }
}
