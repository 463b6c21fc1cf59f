/** Which picture of the list an event is about, and which part of its tile. */
export function whatWasHit(target: EventTarget): {
  part: 'index' | 'check' | 'star';
  index: number | undefined;
} {
  const element =
    target instanceof Element
      ? target.closest<HTMLElement>('[data-index], [data-check], [data-star]')
      : undefined;
  const { index, check, star } = element?.dataset ?? {};
  const text = index ?? check ?? star;
  return {
    part: check !== undefined ? 'check' : star !== undefined ? 'star' : 'index',
    index: text === undefined ? undefined : Number(text),
  };
}
