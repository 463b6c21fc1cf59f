import { createRequire } from 'node:module';
import type * as Cv from '@techstark/opencv-js';

type OpenCv = typeof Cv;

const require = createRequire(import.meta.url);

let loading: Promise<{ cv: OpenCv }> | undefined;

/** Runs `work` on OpenCV, which is loaded when it is first asked for: 11 MB of WebAssembly, about a second. */
export async function withOpenCv<T>(work: (cv: OpenCv, matrices: Matrices) => T): Promise<T> {
  loading ??= load();
  const { cv } = await loading;
  const matrices = new Matrices(cv);
  try {
    return work(cv, matrices);
  } finally {
    matrices.delete();
  }
}

/** The matrices of one piece of work: they lie in WebAssembly's memory, which nothing else gives back. */
export class Matrices {
  readonly #cv: OpenCv;
  readonly #made: InstanceType<OpenCv['Mat']>[] = [];

  constructor(cv: OpenCv) {
    this.#cv = cv;
  }

  empty(): InstanceType<OpenCv['Mat']> {
    const made = new this.#cv.Mat();
    this.#made.push(made);
    return made;
  }

  /** Interleaved RGB, 8 bits a channel. */
  rgb(width: number, height: number, data: Uint8Array): InstanceType<OpenCv['Mat']> {
    const made = new this.#cv.Mat(height, width, this.#cv.CV_8UC3);
    this.#made.push(made);
    made.data.set(data);
    return made;
  }

  delete(): void {
    for (const made of this.#made) made.delete();
  }
}

// Required, and in an object of its own: the module has a `then` that answers with itself, and whatever awaits it, as
// dynamic imports do under some loaders, never ends.
async function load(): Promise<{ cv: OpenCv }> {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => process.listeners(event as 'uncaughtException'));
  const cv = require('@techstark/opencv-js') as OpenCv & { onRuntimeInitialized?: () => void };
  // Emscripten's handlers rethrow: what an uncaught error does here is not for a library to say.
  for (const [i, event] of events.entries()) {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before[i]!.includes(listener)) process.removeListener(event, listener);
    }
  }
  if (typeof cv.Mat !== 'function') {
    await new Promise<void>((ready) => {
      cv.onRuntimeInitialized = ready;
    });
  }
  return { cv };
}
