// Docker is not at hand where the tests run: compose.yaml and the files around it are parsed, and what
// they name is held against the code.

import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { registerServe } from '../../api/cli/serve/command.ts';
import { SERVE_VARIABLES } from '../../api/cli/serve/config.ts';
import { ROLES } from '../../solver/roles.ts';

interface Service {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
}
const read = (path: string) => parse(readFileSync(path, 'utf8'), { merge: true });
const compose = read('compose.yaml');
const services = Object.entries(compose.services as Record<string, Service>);
const ours = services.filter(([, { image }]) => image === 'trimtab');

describe('compose.yaml', () => {
  test('default: two APIs, two workers and a keeper, each with commands and flags that exist', () => {
    const program = new Command();
    registerServe(program);
    const [serve] = program.commands;
    const flags = new Set(serve?.options.map(({ long }) => long));
    const roles = ours.map(([, { command = [] }]) => {
      expect(command[0]).toBe(serve?.name());
      const named = command.slice(1).filter((word) => word.startsWith('--'));
      for (const flag of named) expect(flags).toContain(flag);
      expect(command).toHaveLength(1 + 2 * named.length);
      return command[command.indexOf('--role') + 1];
    });
    expect(roles).toEqual([...ROLES]);
    expect(compose.services.api.deploy.replicas).toBe(2);
    expect(compose.services.worker.deploy.replicas).toBe(2);
  });

  test('default: variables that are read; keys on workers only; files and secrets that are named', () => {
    for (const [name, { environment = {}, secrets = [] }] of ours) {
      for (const variable of Object.keys(environment)) expect(SERVE_VARIABLES).toContain(variable);
      const holds = secrets.some((secret) => secret.endsWith('_key'));
      expect(holds).toBe(name === 'worker');
      for (const value of Object.values(environment)) {
        const secret = /^\/run\/secrets\/(.+)$/.exec(value)?.[1];
        if (secret !== undefined) expect(secrets).toContain(secret);
      }
    }
    for (const [, { secrets = [], volumes = [], networks = [] }] of services) {
      for (const secret of secrets) expect(compose.secrets).toHaveProperty(secret);
      for (const network of networks) expect(compose.networks).toHaveProperty(network);
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('./docs/')) expect(existsSync(source), source).toBe(true);
        else if (!source.startsWith('./secrets/')) expect(compose.volumes).toHaveProperty(source);
      }
    }
  });

  test('default: the operators’ port is published by nobody, and Prometheus reaches every role', () => {
    for (const [, { ports = [] }] of services) expect(ports.join()).not.toContain('9464');
    const [job] = read('docs/deploy/prometheus.yml').scrape_configs;
    const [{ names, port }] = job.dns_sd_configs;
    expect(names).toEqual(ours.map(([name]) => name));
    for (const [, { command = [], networks }] of ours) {
      expect(command[command.indexOf('--ops-port') + 1]).toBe(String(port));
      expect(networks).toContain('inside');
    }
    expect(compose.services.prometheus.networks).toEqual(['inside']);
  });

  test('default: the files of Prometheus and Grafana parse', () => {
    const { groups } = read('docs/deploy/alerts.yml');
    for (const { alert, expr, labels, annotations } of groups[0].rules) {
      expect(typeof expr, alert).toBe('string');
      expect(['page', 'ticket']).toContain(labels.severity);
      expect(annotations.action.length).toBeGreaterThan(10);
    }
    const [{ uid }] = read('docs/deploy/grafana-datasource.yml').datasources;
    const dashboard = readFileSync('docs/grafana/trimtab.json', 'utf8');
    for (const [, used] of dashboard.matchAll(/"uid": "([a-z]+)"/g)) {
      expect([uid, 'trimtab']).toContain(used);
    }
    expect(read('docs/deploy/grafana-dashboards.yml').providers).toHaveLength(1);
  });
});

describe('Dockerfile', () => {
  test('default: what `trimtab serve` imports is a dependency, and none that the image drops', async () => {
    const { metafile } = await build({
      entryPoints: ['api/cli/main.ts', 'api/cli/serve/serve.ts'],
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      // What other commands load when they are called, `serve` does not.
      external: ['*/world.ts', '*/sample.ts'],
      write: false,
      outdir: 'unwritten',
      metafile: true,
      logLevel: 'silent',
    });
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    const entry = Object.values(metafile.outputs).find(
      ({ entryPoint }) => entryPoint === 'api/cli/serve/serve.ts',
    );
    const imported = new Set(
      (entry?.imports ?? [])
        .map(({ path }) => path)
        .filter((path) => !path.startsWith('node:') && !/^[./]/.test(path))
        .map((path) => path.split('/', path.startsWith('@') ? 2 : 1).join('/')),
    );
    imported.delete('worker_threads');
    expect(imported.size).toBeGreaterThan(8);
    const dropped = /node_modules\/([^\s]+)/g;
    const text = readFileSync('Dockerfile', 'utf8');
    const gone = [...text.matchAll(dropped)].map(([, name]) => name);
    for (const name of imported) {
      expect(dependencies, name).toHaveProperty([name]);
      expect(gone).not.toContain(name);
    }
    expect(text).toMatch(/^USER node$/m);
  });
});
