#!/usr/bin/env node
/**
 * Completes package-lock.json: a registry that does not serve a package for some other platform leaves a hole, and
 * `npm ci` then refuses the lock file everywhere. Every optional dependency that has no entry gets a bare one
 * (version, os, cpu), which npm fills in on the platform that needs it. Run after `npm install` changed the lock.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));

/** Whether `name`, required by the package at `from`, resolves to an entry as Node would look it up. */
function resolves(from, name) {
  for (
    let dir = from;
    ;
    dir = dir.includes('/node_modules/') ? dir.slice(0, dir.lastIndexOf('/node_modules/')) : ''
  ) {
    if (lock.packages[`${dir ? `${dir}/` : ''}node_modules/${name}`]) return true;
    if (dir === '') return false;
  }
}

const added = [];
for (const [from, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (resolves(from, name)) continue;
    const os = ['darwin', 'linux', 'win32', 'freebsd', 'android'].find((word) => name.includes(word));
    const cpu = ['arm64', 'x64', 'ia32', 'arm'].find((word) => name.split(/[-/]/).includes(word));
    if (!/^\d/.test(range) || !os || !cpu) {
      throw new Error(
        `${from} needs ${name}@${range}: not a platform package with an exact version; add it by hand`,
      );
    }
    lock.packages[`node_modules/${name}`] = {
      version: range,
      cpu: [cpu],
      license: entry.license,
      optional: true,
      os: [os],
    };
    added.push(name);
  }
}
const [root, ...rest] = Object.entries(lock.packages);
lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => a.localeCompare(b, 'en'))]);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'package-lock.json is complete' : `added ${added.join(', ')}`);
