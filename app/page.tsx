import type { Metadata } from 'next';
import { CreatePage } from './_create/create-page.tsx';

export const metadata: Metadata = { title: { absolute: 'Encore' } };

export default function Page() {
  return <CreatePage />;
}
