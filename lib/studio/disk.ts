/**
 * File system and path functions of everything that the web process bundles. The bundler reads every file that a call
 * it can see might name; for a path that is only known at run time that is the whole project, checkpoints and pictures
 * included (measured: 21 GB of memory at build time with one SD 1.5 in the folder, 0.7 GB this way). It does not look
 * behind `getBuiltinModule`.
 */
export const {
  access,
  copyFile,
  link,
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
export const { constants, createReadStream, mkdirSync } = process.getBuiltinModule('node:fs');

const path = process.getBuiltinModule('node:path');
export const basename = path.basename.bind(path);
export const dirname = path.dirname.bind(path);
export const isAbsolute = path.isAbsolute.bind(path);
export const join = path.join.bind(path);
export const resolve = path.resolve.bind(path);
