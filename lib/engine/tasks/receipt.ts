import type { Receipt } from '../../contracts/generation.ts';
import type { Conditioning } from './conditioning.ts';
import type { Drawing, Leg, TaskContext } from './run.ts';
import type { Picture } from './task.ts';

/**
 * What a run did. Passes and seconds are sums over its legs; `keySteps` are the first leg's, and where there are several
 * `legs` has each.
 */
export function receiptOf(
  { device, versions }: TaskContext,
  drawing: Drawing,
  text: Conditioning,
  { width, height }: Picture,
): Receipt {
  const { model, input, scheduler, legs, count, meter, denoising } = drawing;
  const { steps, plan, guidanceScale, seed } = input;
  const sum = (value: (leg: Leg) => number) =>
    legs.reduce((total, leg) => total + (count / leg.batch) * value(leg), 0);
  const encoderRuns = sum(({ keySteps }) => keySteps.length);
  const decoderRuns = sum(({ evaluations }) => evaluations);
  const [{ keySteps, injection, course }] = legs as [Leg];
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
    decodeWidth: Math.max(
      ...legs.flatMap(({ spans }) => spans.flatMap(({ calls }) => calls.map((call) => call.length))),
    ),
    ...(legs.length === 1 ? {} : { legs: legs.map((leg) => legReceipt(leg, drawing)) }),
    seconds: meter.seconds(denoising),
    exactEstimate: meter.exactEstimate(legs.map(({ evaluations, batch }) => evaluations * (count / batch))),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    promptTokens: text.tokens,
    notices: [...new Set([...legs.flatMap(({ notices }) => notices), ...text.notices])],
  };
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
