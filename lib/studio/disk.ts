/**
 * File system calls of everything that the web process bundles. The bundler reads every file that a call it can see
 * might name; for a path that is only known at run time that is the whole project, checkpoints and pictures included
 * (gigabytes of memory at build time). It does not look behind this call.
 */
export const {
  access,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  statfs,
  symlink,
  unlink,
  writeFile,
} = process.getBuiltinModule('node:fs/promises');
export const { createReadStream, mkdirSync } = process.getBuiltinModule('node:fs');
