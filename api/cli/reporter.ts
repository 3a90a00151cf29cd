// Says what happens, a line per step: for people, or one JSON object per line (`--json`). In JSON
// mode stdout carries steps and nothing else; remarks go to stderr.

import type { JsonObject } from '../../solver/types/json.ts';

export interface Reporter {
  /** A step that happened. `text` is the line for people; `data` the members of the JSON line. */
  step(name: string, text: string, data?: JsonObject): void;
  /** Progress inside a step: people only. */
  progress(text: string): void;
}

export function createReporter(json: boolean, startedMs = performance.now()): Reporter {
  const elapsed = () => performance.now() - startedMs;
  if (json) {
    return {
      step: (name, _text, data = {}) => {
        const { step: _mine, ...rest } = data;
        const line = { step: name, ...rest, elapsedMs: Math.round(elapsed()) };
        process.stdout.write(`${JSON.stringify(line)}\n`);
      },
      progress: (text) => process.stderr.write(`${text}\n`),
    };
  }
  const clock = () => `${(elapsed() / 1000).toFixed(1).padStart(6)} s`;
  return {
    step: (name, text) => process.stdout.write(`${clock()}  ${name.padEnd(10)} ${text}\n`),
    progress: (text) => process.stdout.write(`${' '.repeat(21)}${text}\n`),
  };
}
