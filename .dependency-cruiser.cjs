/** The directions of docs/architecture.md. A rule that is broken here is a design question, not a style question. */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Of types neither: what two files need of each other stands in a third.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'unresolvable',
      severity: 'error',
      comment: 'An import that resolves to nothing fails only when it runs.',
      from: {},
      to: { couldNotResolve: true, pathNot: '\\.css$' },
    },
    {
      name: 'contracts-are-browser-safe',
      severity: 'error',
      comment: 'Schemas, types and codes are shared by web, worker, engine and browser.',
      from: { path: '^lib/contracts' },
      to: { pathNot: '^(lib/contracts|node_modules/zod/)' },
    },
    {
      name: 'engine-stands-alone',
      severity: 'error',
      comment: 'The engine computes pictures: no database, no HTTP, no studio. It runs from a plain script.',
      from: { path: '^lib/engine' },
      to: { path: '^(app|workers|lib/(studio|media|cli))|node_modules/(next|react|@prisma|@libsql|sharp)' },
    },
    {
      name: 'media-stands-alone',
      severity: 'error',
      from: { path: '^lib/media' },
      to: { path: '^(app|workers|lib/(studio|cli))|^lib/engine/(?!tasks/task\\.ts|tensor/)' },
    },
    {
      name: 'studio-never-computes',
      severity: 'error',
      comment: 'The studio remembers; only workers and the command line run the engine.',
      from: { path: '^lib/studio' },
      to: { path: '^(app|workers|lib/(engine|cli))' },
    },
    {
      name: 'app-never-computes',
      severity: 'error',
      comment: 'onnxruntime and ffmpeg never enter the web process.',
      from: { path: '^app' },
      to: { path: '^(workers|lib/(engine|media|cli))|node_modules/(onnxruntime-node|fluent-ffmpeg)' },
    },
    {
      name: 'one-importer-of-onnxruntime',
      severity: 'error',
      from: { pathNot: '^lib/engine/runtime' },
      to: { path: 'node_modules/onnxruntime' },
    },
    {
      name: 'one-importer-of-prisma',
      severity: 'error',
      from: { pathNot: '^lib/studio/db' },
      to: { path: '(node_modules/@prisma|^lib/studio/db/generated)' },
    },
    {
      name: 'not-to-dev-dependencies',
      severity: 'error',
      from: { path: '^(app|lib|workers)' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'A module nobody imports is dead.',
      from: {
        orphan: true,
        pathNot:
          '(^app/.*(page|layout|route|error|loading|not-found|icon)\\.tsx?$|\\.d\\.ts$|^workers/|^lib/contracts/)',
      },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'lib/studio/db/generated' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    },
  },
};
