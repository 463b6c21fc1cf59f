'use client';
import { useSyncExternalStore } from 'react';

/** A value outside React that components can watch. */
export interface Store<T> {
  get: () => T;
  set: (next: T | ((previous: T) => T)) => void;
  subscribe: (listener: () => void) => () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      const resolved = typeof next === 'function' ? (next as (previous: T) => T)(value) : next;
      if (Object.is(resolved, value)) return;
      value = resolved;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** `serverValue` is what the server's HTML shows, so that the first client render agrees with it. */
export function useStore<T, S>(store: Store<T>, select: (value: T) => S, serverValue: S): S {
  return useSyncExternalStore(
    store.subscribe,
    () => select(store.get()),
    () => serverValue,
  );
}

/**
 * A store that survives a reload in localStorage and follows other tabs.
 * `parse` turns whatever is found there (perhaps written by another version) into a value.
 */
export function createPersistentStore<T>(key: string, initial: T, parse: (raw: unknown) => T): Store<T> {
  const store = createStore(initial);
  if (typeof window === 'undefined') return store;

  const read = (text: string | null) => {
    try {
      return text === null ? initial : parse(JSON.parse(text));
    } catch {
      return initial;
    }
  };
  const save = (value: T) => {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {
      // Private windows may refuse storage; the page then forgets on reload and works otherwise.
    }
  };
  try {
    store.set(read(localStorage.getItem(key)));
  } catch {
    // The same private windows refuse reading too.
  }
  window.addEventListener('storage', (event) => {
    if (event.key === key) store.set(read(event.newValue));
  });
  return {
    ...store,
    set(next) {
      store.set(next);
      save(store.get());
    },
  };
}
