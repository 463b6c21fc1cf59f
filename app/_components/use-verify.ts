'use client';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from 'next/navigation';
import type { Generation } from '../../lib/contracts/generation.ts';
import { api } from '../_lib/api.ts';
import { placeGeneration } from '../_lib/live.ts';
import { useNotify } from './toaster.tsx';

/** Whether an exact run of the same seed would prove anything. */
export function canVerify(generation: Generation): boolean {
  const { status, verifies, receipt } = generation;
  return status === 'succeeded' && verifies === null && (receipt?.encoderRunsSaved ?? 0) > 0;
}

/** Makes the same again, exactly, and goes to where the two are compared. */
export function useVerify({ id }: Generation) {
  const client = useQueryClient();
  const router = useRouter();
  const { notifyError } = useNotify();
  const { mutate, isPending } = useMutation({
    mutationFn: () => api.verify(id),
    onSuccess: (exact) => {
      placeGeneration(client, exact);
      router.push(`/compare?${new URLSearchParams({ a: id, b: exact.id })}`);
    },
    onError: notifyError,
  });
  return { verify: () => mutate(), isPending };
}
