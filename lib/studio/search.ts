/** What `q` is compared in and with: compatible forms and cases of a letter are the same to someone who searches. */
export function searchable(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}
