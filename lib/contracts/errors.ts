/**
 * The closed list of everything that can go wrong on purpose, and the one error class that carries it.
 *
 * A code is what programs match on, the message is what a person reads (with the offending values in it),
 * the remedy is what to do next. HTTP status and exit code follow from the code, never from the place it was thrown.
 */

/** code -> [HTTP status, short title]. */
const codes = {
  // Bad input
  invalid_request: [400, 'The request is not valid'],
  invalid_parameter: [422, 'A parameter is not valid'],
  invalid_tensor: [422, 'A tensor does not have the expected shape or type'],
  unknown_scheduler: [422, 'There is no scheduler of that name'],
  unknown_model: [422, 'There is no model of that name'],
  unsupported_task: [422, 'This task is not supported by this model'],
  idempotency_conflict: [409, 'The idempotency key was used for a different request'],
  payload_too_large: [413, 'The request is too large'],
  method_not_allowed: [405, 'This address does not take that method'],
  range_not_satisfiable: [416, 'The range lies beyond the file'],
  // Who may ask
  unauthorized: [401, 'A token is required'],
  forbidden_origin: [403, 'Requests from other origins are refused'],
  // State
  not_found: [404, 'Not found'],
  conflict: [409, 'The current state does not allow this'],
  queue_full: [429, 'The queue is full'],
  storage_full: [507, 'There is no room to store this'],
  database_unavailable: [503, 'The database did not answer in time'],
  // Checkpoints and graphs
  checkpoint_not_found: [422, 'The checkpoint was not found'],
  checkpoint_invalid: [422, 'The checkpoint is damaged or not what it says'],
  checkpoint_unsupported: [422, 'This kind of checkpoint is not supported'],
  weights_invalid: [422, 'The weights hold values that cannot be used'],
  graph_invalid: [500, 'A graph was built with shapes that do not fit'],
  hub_refused: [502, 'The hub did not give what was asked for'],
  // Running
  device_unavailable: [503, 'The device cannot be used here'],
  engine_failed: [500, 'The engine failed'],
  engine_lost: [500, 'The engine stopped unexpectedly'],
  out_of_memory: [507, 'There was not enough memory'],
  cancelled: [409, 'Cancelled'],
  ffmpeg_unavailable: [503, 'ffmpeg was not found'],
  internal: [500, 'Something went wrong on our side'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof codes;
export const errorCodes = Object.keys(codes) as [ErrorCode, ...ErrorCode[]];

export interface ErrorOptions {
  /** One sentence: what the reader can do about it. */
  remedy?: string;
  /** Whether the same input may succeed when tried again unchanged. Default false. */
  retryable?: boolean;
  /** Field-level details, JSON-pointer style paths. */
  errors?: { path: string; message: string }[];
  cause?: unknown;
}

/** The one error class of Encore. `message` holds the offending values; see {@link ErrorCode}. */
export class EncoreError extends Error {
  override readonly name = 'EncoreError';
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly retryable: boolean;
  readonly errors: { path: string; message: string }[];

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.retryable = options.retryable ?? false;
    this.errors = options.errors ?? [];
  }

  get status(): number {
    return codes[this.code][0];
  }

  get title(): string {
    return codes[this.code][1];
  }

  /** Plain data that survives IPC and a database column; {@link EncoreError.from} reads it back. */
  toJSON(): SerializedError {
    return {
      code: this.code,
      message: this.message,
      ...(this.remedy === undefined ? {} : { remedy: this.remedy }),
      retryable: this.retryable,
      ...(this.errors.length === 0 ? {} : { errors: this.errors }),
    };
  }

  static from(value: unknown): EncoreError {
    if (value instanceof EncoreError) return value;
    if (isSerializedError(value)) {
      return new EncoreError(value.code, value.message, {
        remedy: value.remedy,
        retryable: value.retryable ?? false,
        errors: value.errors ?? [],
      });
    }
    const message = value instanceof Error ? value.message : String(value);
    return new EncoreError('internal', message, { cause: value });
  }
}

export interface SerializedError {
  code: ErrorCode;
  message: string;
  remedy?: string;
  retryable?: boolean;
  errors?: { path: string; message: string }[];
}

function isSerializedError(value: unknown): value is SerializedError {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    'message' in value &&
    typeof value.message === 'string' &&
    typeof value.code === 'string' &&
    value.code in codes
  );
}

/** True for the error that a cancelled run ends with, whether ours or a DOM AbortError. */
export function isCancellation(error: unknown): boolean {
  return (
    (error instanceof EncoreError && error.code === 'cancelled') ||
    (error instanceof Error && error.name === 'AbortError')
  );
}
