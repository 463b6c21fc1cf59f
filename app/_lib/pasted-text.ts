/** Whether text is what A1111 and its kin (a line of `Steps: 20, Sampler: ...`) or Fooocus and SwarmUI (JSON) write into pictures. */
export function looksLikeParameters(text: string): boolean {
  return /^\s*Steps: \d+,/m.test(text) || /^\s*\{[\s\S]*"(prompt|sui_image_params)"/.test(text);
}
