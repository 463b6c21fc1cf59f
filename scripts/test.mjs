#!/usr/bin/env node
/**
 * `npm test`: installs what the tests need and runs everything. Every stage runs even where an earlier one failed, so
 * that one run shows all there is to mend; the last line counts the tests.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findOrInstallBrowser } from './lib/browser.mjs';
import { findOrInstallFfprobe } from './lib/ffprobe.mjs';
import { buildWeb, checkNode, endWithNpm, generateDatabaseClient, install, root, run } from './lib/steps.mjs';

checkNode();
endWithNpm();
const started = Date.now();
const reports = join(root, 'test/.cache/reports');
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

console.log('Preparing');
await install();
await generateDatabaseClient();
await findOrInstallFfprobe();

const bin = (name) => [`node_modules/${name}`];
const failed = [];
async function stage(label, args, options) {
  if ((await run(label, process.execPath, args, options)) !== 0) failed.push(label);
}

console.log('Checking');
await stage('Format', [...bin('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']);
await stage('Boundaries', [
  ...bin('dependency-cruiser/bin/dependency-cruise.mjs'),
  '--config',
  '.dependency-cruiser.cjs',
  'app',
  'lib',
  'workers',
]);
await stage('Types', [...bin('typescript/bin/tsc'), '--noEmit']);
await stage('Lint', [...bin('eslint/bin/eslint.js'), '.', '--max-warnings', '0']);

console.log('Testing');
const vitest = (name, ...more) => [
  ...bin('vitest/vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${join(reports, `${name}.json`)}`,
  ...more,
];
await stage('Unit, parity, database and worker tests', vitest('unit'), { quiet: false });
await buildWeb();
const browser = await findOrInstallBrowser();
await stage('Browser tests', vitest('e2e', '--config', 'vitest.e2e.config.ts'), {
  quiet: false,
  env: { CHROME_PATH: browser },
});

let [passed, broken] = [0, 0];
const skipped = [];
for (const name of ['unit', 'e2e']) {
  try {
    const report = JSON.parse(readFileSync(join(reports, `${name}.json`), 'utf8'));
    passed += report.numPassedTests;
    broken += report.numFailedTests;
    for (const { assertionResults } of report.testResults) {
      skipped.push(...assertionResults.filter(({ status }) => !['passed', 'failed'].includes(status)));
    }
  } catch (error) {
    failed.push(`reading the ${name} report (${error.message})`);
  }
}
// Some faults can be made on some machines only (a full disk needs root on Linux): said aloud, and no excuse in CI.
for (const { fullName } of skipped) console.log(`Cannot be run on this machine: ${fullName}`);
if (skipped.length > 0 && process.env.CI) failed.push(`${skipped.length} tests were skipped`);

console.log(`\nTook ${((Date.now() - started) / 60_000).toFixed(1)} minutes.`);
if (failed.length > 0) console.log(`Failed: ${failed.join('; ')}`);
console.log(
  `tests: ${passed} passed, ${broken} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`,
);
process.exit(failed.length > 0 ? 1 : 0);
