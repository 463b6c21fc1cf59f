import type { ErrorCode } from '../../lib/contracts/errors.ts';

/** What a code means and what helps, for whoever follows the `type` of a refusal here. */
export const advice: Partial<Record<ErrorCode, string>> = {
  invalid_request:
    'The body is no JSON, or not of the shape that this operation takes. `errors` of the answer names each field.',
  invalid_parameter:
    'A value lies outside what is allowed. `errors` of the answer names the field and its limits.',
  unknown_scheduler: '`GET /capabilities` lists the schedulers that there are.',
  unknown_model:
    '`GET /models` lists what is installed. A model that was taken away does not come back by itself.',
  unsupported_task: '`GET /models` says of each model which tasks it can do.',
  idempotency_conflict:
    'Every new request needs an `Idempotency-Key` of its own; only the very same request may be sent again with the old one.',
  payload_too_large: 'Send less at once. `GET /capabilities` has the limits.',
  unauthorized:
    'The studio was started with `ENCORE_TOKEN`: send it as `Authorization: Bearer`, or open the pages and enter it there.',
  forbidden_origin:
    'Pages of other sites may not use this studio. Programs are not kept out: they send no `Origin`.',
  not_found: 'It was never here, or it was deleted meanwhile.',
  conflict:
    'It is in another state than this needs; what is over, for example, cannot be cancelled. Ask for it first.',
  queue_full: 'Wait until some requests are done, or cancel what waits on the Queue page.',
  storage_full: 'Make room on the disk of the data folder, or delete models that are not used any more.',
  database_unavailable: 'Another program holds the database. Try again in a moment; nothing was lost.',
  checkpoint_not_found:
    'The folder or file is not where it was. Put it back, or add it anew on the Models page.',
  checkpoint_invalid: 'The file was cut short or is not what its name says. Fetch or export it again.',
  checkpoint_unsupported:
    'Its layout or its network is not among those that can be drawn with. The answer says which part is not.',
  hub_refused: 'Check the name of the repository, and whether it needs a token.',
  device_unavailable: 'Start the studio without that device, or install its driver.',
  engine_lost: 'The request is tried again by itself. If it keeps happening, there may be too little memory.',
  out_of_memory: 'Ask for a smaller picture or fewer at once, or close other programs.',
  ffmpeg_unavailable: 'Videos need ffmpeg. Install it, or say where it is with `ENCORE_FFMPEG`.',
  internal:
    'A defect of the studio. Its log has the details under the id that the answer carries as `X-Request-Id`.',
};
