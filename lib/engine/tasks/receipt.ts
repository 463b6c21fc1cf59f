import type { Receipt } from '../../contracts/generation.ts';
import type { AppliedLora } from './adapters.ts';
import type { Conditioning } from './conditioning.ts';
import type { Drawing, Leg, TaskContext } from './drawing.ts';
import type { Picture } from './task.ts';

/**
 * What a run did. Passes and seconds are sums over its legs; `keySteps` and what belongs to them are the longest leg's,
 * and where there are several `legs` has each.
 */
export function receiptOf(
  { device, versions }: TaskContext,
  drawing: Drawing,
  text: Conditioning,
  { width, height }: Picture,
): Receipt {
  const { model, input, scheduler, guidance, legs, count, meter, denoising } = drawing;
  const { steps, plan, guidanceScale, seed } = input;
  const sum = (value: (leg: Leg) => number) =>
    legs.reduce((total, leg) => total + (count / leg.batch) * value(leg), 0);
  const encoderRuns = sum(({ keySteps }) => keySteps.length);
  const decoderRuns = sum(({ evaluations }) => evaluations);
  const controlRuns = sum((leg) => leg.controlRuns.made);
  const controlRunsExact = sum((leg) => leg.controlRuns.exact);
  const main = legs.reduce((longest, leg) => (leg.evaluations > longest.evaluations ? leg : longest));
  const { keySteps, injection, course } = main;
  return {
    model: model.name,
    modelHash: model.hash,
    device,
    versions: { ...versions },
    scheduler: scheduler.name,
    ...{ steps, plan, injection, guidanceScale, seed, width, height },
    ...(course.first ? { skippedSteps: course.first } : {}),
    keySteps: [...keySteps],
    encoderRuns,
    decoderRuns,
    encoderRunsSaved: decoderRuns - encoderRuns,
    ...(guidance.present
      ? { control: guidance.facts, controlRuns, controlRunsSaved: controlRunsExact - controlRuns }
      : {}),
    decodeWidth: Math.max(
      ...legs.flatMap(({ spans }) => spans.flatMap(({ calls }) => calls.map((call) => call.length))),
    ),
    ...(input.video === undefined ? {} : { frames: input.video.frames, fps: input.video.fps }),
    ...(model.motion === undefined ? {} : { motionAdapter: model.motion.name }),
    ...(legs.length === 1 ? {} : { legs: legs.map((leg) => legReceipt(leg, drawing)) }),
    seconds: meter.seconds(denoising),
    exactEstimate: meter.exactEstimate(
      legs.map(({ evaluations, batch, controlRuns: { exact } }) => {
        const batches = count / batch;
        return { steps: evaluations * batches, controls: exact * batches };
      }),
    ),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    promptTokens: text.tokens,
    ...adaptersOf(model.loras, text.embeddings),
    notices: [
      ...new Set([
        ...legs.flatMap((leg) => (leg === main ? leg.notices : noticesAt(leg, drawing))),
        ...model.loras.flatMap(({ notices }) => notices),
        ...text.notices,
      ]),
    ],
  };
}

function adaptersOf(
  loras: readonly AppliedLora[],
  embeddings: Conditioning['embeddings'],
): Pick<Receipt, 'loras' | 'embeddings'> {
  return {
    ...(loras.length === 0
      ? {}
      : {
          loras: loras.map(({ name, hash, weight, matched, unmatched }) => ({
            ...{ name, hash, weight, matched, unmatched },
          })),
        }),
    ...(embeddings.length === 0
      ? {}
      : {
          embeddings: embeddings.map(({ name, hash, vectors }) => ({ name, hash, vectors: vectors.length })),
        }),
  };
}

/** What a shorter leg has to say, with where it says it. */
function noticesAt(leg: Leg, drawing: Drawing): string[] {
  const { width, height } = legReceipt(leg, drawing);
  return leg.notices.map((notice) => `In the pass at ${width} x ${height}: ${notice}`);
}

function legReceipt(
  { course, keySteps, evaluations }: Leg,
  { model }: Drawing,
): NonNullable<Receipt['legs']>[number] {
  const { scale } = model.autoencoder.config;
  return {
    width: course.width * scale,
    height: course.height * scale,
    skippedSteps: course.first ?? 0,
    steps: evaluations,
    keySteps: [...keySteps],
  };
}
