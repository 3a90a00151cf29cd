// Builds what `trimtab/client` and `trimtab/solver` are imported from: Node does not run TypeScript out
// of node_modules, nor do browsers. JavaScript by esbuild, one file each, libraries left as imports;
// declarations by tsc, file by file. Both are written to dist/, which is not committed.

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { BuildOptions } from 'esbuild';
import { projectRoot } from './home.ts';
import { runNode } from './runNode.ts';

const DIST = resolve(projectRoot, 'dist');
/** By the name they are imported under. */
const ENTRIES = {
  client: 'api/client/index.ts',
  solver: 'api/client/solver/index.ts',
} as const;
const require = createRequire(import.meta.url);

/** Whether the development dependencies are here, as in a checkout; a packed copy comes built. */
export function canBuild(): boolean {
  return existsSync(resolve(projectRoot, 'tsconfig.json')) && found('esbuild') !== null;
}

const found = (name: string): string | null => {
  try {
    return require.resolve(name);
  } catch {
    return null;
  }
};

/** `types`: declarations too, some seconds. Throws Fault when a build fails. */
export async function buildClient(
  { types }: { readonly types: boolean },
  onProgress: (line: string) => void,
): Promise<void> {
  const { build } = await import('esbuild');
  const entries = Object.entries(ENTRIES).filter(([, path]) =>
    existsSync(resolve(projectRoot, path)),
  );
  mkdirSync(DIST, { recursive: true });
  for (const [name, path] of entries) {
    const bundle = async (options: BuildOptions) => {
      const { outputFiles } = await build({
        absWorkingDir: projectRoot,
        entryPoints: [path],
        bundle: true,
        format: 'esm',
        target: 'es2022',
        logLevel: 'silent',
        ...options,
        write: false,
      });
      return outputFiles[0]?.contents ?? new Uint8Array();
    };
    const platform = name === 'client' ? 'neutral' : 'node';
    const code = await bundle({ platform, packages: 'external' });
    replace(join(DIST, `${name}.js`), code);
    if (name !== 'client') continue;
    // What a page that uses all of it would carry, viem included.
    const bytes = await bundle({ platform: 'browser', minify: true });
    onProgress(
      `trimtab/client: ${kilobytes(code.length)}; with viem, minified ${kilobytes(bytes.length)}, ` +
        `gzipped ${kilobytes(gzipSync(bytes).length)}`,
    );
  }
  if (types) await declarations(entries.map(([, path]) => path));
}

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

/** In one rename: a reader never sees half of it. */
function replace(path: string, bytes: Uint8Array): void {
  writeFileSync(`${path}.${process.pid}`, bytes);
  renameSync(`${path}.${process.pid}`, path);
}

async function declarations(files: readonly string[]): Promise<void> {
  const draft = join(DIST, `types.${process.pid}`);
  // A configuration of its own: with files on the command line tsc would read none.
  const config = join(DIST, `tsconfig.${process.pid}.json`);
  const options = {
    extends: '../tsconfig.json',
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: '..',
      outDir: draft,
    },
    include: [],
    files: files.map((path) => `../${path}`),
  };
  writeFileSync(config, JSON.stringify(options));
  try {
    const tsc = join(require.resolve('typescript/package.json'), '../bin/tsc');
    await runNode([tsc, '-p', config], 'the declarations');
    rmSync(join(DIST, 'types'), { recursive: true, force: true });
    renameSync(draft, join(DIST, 'types'));
  } finally {
    rmSync(config, { force: true });
    rmSync(draft, { recursive: true, force: true });
  }
}
