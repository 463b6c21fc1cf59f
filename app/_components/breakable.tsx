import { Fragment } from 'react';

/** A text that may hold paths and names of files: long ones break after their separators, not within a word. */
export function Breakable({ children }: { children: string }) {
  return children.split(/(?<=[/\\_.-])(?=\w)/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}
