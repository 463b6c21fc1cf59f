import type { Metadata } from 'next';
import { LibraryPage } from './_parts/library-page.tsx';

export const metadata: Metadata = { title: 'Library' };

export default function Page() {
  return <LibraryPage />;
}
