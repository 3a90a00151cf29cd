// Reading and writing the files named on the command line. Faults name the file and the remedy.

import { readFileSync, writeFileSync } from 'node:fs';
import { Fault, InvalidInput } from '../../../solver/types/errors.ts';

/** Parses a file's text; every fault is InvalidInput that names the file and where in it. */
export function readParsed<T>(path: string, parse: (text: string) => T): T {
  const text = readText(path);
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw new InvalidInput(error.message, {
      pointer: `${path}#${error.pointer}`,
      code: error.code,
    });
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InvalidInput(`cannot be read (${why}); give the path of a JSON file`, {
      pointer: path,
      code: 'unreadable',
    });
  }
}

export function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Fault(`cannot write ${path}`, { cause: error, retryable: false });
  }
}
