import type { Locator } from 'playwright-core';
import { page } from './suite.ts';

// Parts of the Create page, by the names people are told.

export const prompt = (): Locator => page.getByRole('textbox', { name: 'Prompt', exact: true });
export const generate = (): Locator => page.getByRole('button', { name: /^Generate/ });
/** Where the picture is, or comes. */
export const table = (): Locator => page.getByRole('region', { name: 'Picture', exact: true });
