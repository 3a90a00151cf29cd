#!/usr/bin/env node
// The command's door: checks Node's version before anything modern is parsed, then loads the
// TypeScript sources through tsx.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `trimtab needs Node 20.19 or newer; this is ${process.version}. Install a newer Node.`,
  );
  process.exit(2);
}
// Before tsx watches every import: viem's hundreds of files load in 0.3 s then, instead of 0.8.
await Promise.all([import('viem'), import('viem/accounts')]).catch(() => {});
const { register } = await import('tsx/esm/api').catch(() => {
  console.error('Dependencies are missing. Run `npm ci` in the project folder first.');
  process.exit(2);
});
register();
const { main } = await import('./main.ts');
await main(process.argv);
