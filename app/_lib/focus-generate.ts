/** There is one such button on the Create page. */
export const GENERATE_ID = 'generate';

/**
 * Leads the focus to where a request is sent, after what had it went away or was chosen. In the next frame, when the
 * button is enabled again that may have been disabled until now.
 */
export function focusGenerate(options?: FocusOptions): void {
  requestAnimationFrame(() => document.getElementById(GENERATE_ID)?.focus(options));
}
