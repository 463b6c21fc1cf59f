/** Generations in one page of the history. */
export const PAGE_SIZE = 60;
